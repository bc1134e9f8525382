# The applications of the ledger: `sunledger public`, `sunledger admin`, `sunledger migrate`.
# Every package is pinned by version and hash; nothing runs as root.

# --- our own wheel, built with the pinned build tools ---
FROM python:3.11-slim AS wheel
WORKDIR /source
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements-dev.lock ./
RUN python -m pip install --require-hashes -r requirements-dev.lock
COPY . .
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir /wheel .

# --- what runs ---
FROM python:3.11-slim AS environment
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/sunledger
COPY requirements.lock ./
RUN /opt/sunledger/bin/python -m pip install --require-hashes -r requirements.lock
COPY --from=wheel /wheel /wheel
RUN /opt/sunledger/bin/python -m pip install --no-index --no-deps /wheel/*.whl

FROM python:3.11-slim
COPY --from=environment /opt/sunledger /opt/sunledger
# The user has a fixed number, so that a volume keeps its owner from one image to the next.
# A new volume takes over owner and mode of the folder it is mounted on.
RUN useradd --uid 10001 --user-group --home-dir /srv/sunledger --shell /usr/sbin/nologin sunledger \
 && install -d -o sunledger -g sunledger -m 0700 /srv/sunledger \
      /srv/sunledger/checkpoint /srv/sunledger/data /srv/sunledger/keys /srv/sunledger/reader \
      /srv/sunledger/opendata /srv/sunledger/roles /srv/sunledger/writer
ENV PATH=/opt/sunledger/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 TZ=UTC \
    SUNLEDGER_DATA_DIR=/srv/sunledger/data \
    SUNLEDGER_PUBLIC_HOST=0.0.0.0 SUNLEDGER_ADMIN_HOST=0.0.0.0
WORKDIR /srv/sunledger
USER 10001:10001
EXPOSE 8000 8001
# Alive is all an image can ask; whether it is ready, docker-compose.yml asks.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["sunledger"]
CMD ["public"]
