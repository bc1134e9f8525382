"""Settings: every one is an environment variable named SUNLEDGER_…; docs/settings.md lists them (a test compares)."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_POSTGRES = r"^postgres(ql)?://"


class Settings(BaseSettings):
    """What an operator chooses. Built once at the start and handed on as values."""

    model_config = SettingsConfigDict(env_prefix="SUNLEDGER_", extra="forbid", frozen=True)

    log: str = Field("sunledger", pattern=r"^[a-z][a-z0-9_]{0,30}$")
    """Name of the log: its PostgreSQL schema, and the prefix of its three database roles."""

    data_dir: Path = Path("data")
    """Where the embedded store, keys, password files and uploaded sheets live."""

    keys_dir: Path | None = None
    """Key files; outside the database and its backups. Default: keys/ in the data directory."""

    lookup_file: Path | None = None
    """Keys that find a receipt by its code; the public application needs only this one. Default: with the others."""

    roles_dir: Path | None = None
    """The database roles' password files. Default: roles/ in the data directory."""

    database_url: str | None = Field(None, pattern=_POSTGRES)
    """A PostgreSQL 15 to 18 of your own, as a user who may create roles. Default: the embedded one."""

    read_url: str | None = Field(None, pattern=_POSTGRES)
    """Where the public application reads: a streaming replica. Default: the same server. Role and password are ours."""

    public_host: str = "127.0.0.1"
    """Address the public application listens on."""

    public_port: int = Field(8000, ge=1, le=65535)
    """Port of the public application."""

    public_workers: int = Field(1, ge=1, le=64)
    """Processes that answer on it, one a processor that can be spared for them; they count visits together."""

    admin_host: str = "127.0.0.1"
    """Address the admin application listens on."""

    admin_port: int = Field(8001, ge=1, le=65535)
    """Port of the admin application."""

    admin_url: str = "http://127.0.0.1:8001"
    """Where the command line finds the admin application."""

    signing_key: Path | None = None
    """The key that signs checkpoints, made by `sunledger keygen`. Without one nothing is published."""

    signing_passphrase: SecretStr = SecretStr("")
    """Opens the signing key. Better given as a file."""

    signing_passphrase_file: Path | None = None
    """File with the passphrase of the signing key."""

    checkpoint_file: Path | None = None
    """The last signed checkpoint, on a volume that no database backup brings back. Default: in the data directory."""

    witness_policy: Path | None = None
    """Policy file (c2sp.org/tlog-policy): the witnesses to ask for cosignatures, and the quorum. Default: no one."""

    witness_required: bool = False
    """Publish no checkpoint that the quorum did not cosign. Default: publish it, and show who did not."""

    witness_timeout_s: float = Field(2.0, gt=0, le=60)
    """How many seconds a checkpoint waits for the quorum."""

    fiscal_code: str = "[0-9]{8}"
    """How the code of a fiscal receipt is written here: a regular expression for all of it."""

    fiscal_number: str = "[0-9]{10}"
    """How its number is written."""

    fiscal_check_code: str = "[0-9A-Za-z]{6}"
    """How its check code is written."""

    trusted_proxies: str = ""
    """Addresses or networks, separated by commas, whose X-Forwarded-For is believed. Default: nobody's."""

    requests_per_minute: int = Field(600, ge=0)
    """What one address may ask of the public application in a minute; 0: anything. Files of the log are not counted."""

    failures_per_hour: int = Field(60, ge=0)
    """Look-ups that find nothing, of one address in an hour; 0: any number."""

    failures_per_code: int = Field(5, ge=0)
    """Look-ups of one code that find nothing, in an hour and from anywhere; 0: any number."""

    pool_size: int = Field(8, ge=2, le=100)
    """Database connections of one process."""

    queue_size: int = Field(2000, ge=1, le=100_000)
    """Commands that may wait to be sequenced; beyond it the answer is 503 with Retry-After."""

    site_url: str | None = Field(None, max_length=100, pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?$")
    """Where everybody reaches the public application: printed on certificates and slips, and in links to cite.

    Default: its host and port; links to cite take the host that was asked for.
    """

    emblem: Path | None = None
    """The operator's own authorised emblem, SVG or PNG, on every public page. Default: a neutral seal."""

    contact: str = Field("", max_length=200)
    """Whom readers tell of a mistake: an e-mail address, a telephone number, or a sentence."""

    source_url: str | None = Field(None, max_length=200, pattern=r"^https?://[^\s\"'<>]+$")
    """Where the source of the program that runs here is, in the version that runs. Default: nothing is said of it."""

    data_licence: Literal["CC-BY-4.0", "CC0-1.0", "ODC-By-1.0"] = "CC-BY-4.0"
    """Licence that the open data are under (SPDX). It grants everybody rights: decide before you publish."""

    iati_org: str = Field("", pattern=r"^([A-Z]{2}-[A-Z]+-[A-Za-z0-9-]+|XI-IATI-[A-Za-z0-9-]+)?$")
    """The operator's organisation identifier of IATI. Without one there is no IATI file."""

    giving_prefix: str = Field("", pattern="^(360G-[A-Za-z0-9_-]+)?$")
    """The operator's publisher prefix of 360Giving. Without one there is no 360Giving file."""

    open_data: Path | None = None
    """Folder that `sunledger publish` writes to: its editions stand on the public site's data page. Default: none."""

    stale_hours: int = Field(72, ge=1)
    """Hours from which pages say so: after the last entry, the last cosignature, the first entry not yet published."""

    read_only: bool = False
    """Pages say that nothing is being entered just now: during maintenance, or on a copy of the ledger."""

    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    """How much the applications log."""

    @field_validator("fiscal_code", "fiscal_number", "fiscal_check_code")
    @classmethod
    def _is_a_pattern(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from error
        return pattern

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        for each in filter(None, map(str.strip, value.split(","))):
            ip_network(each)  # its ValueError says what is wrong
        return value

    @property
    def proxies(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The trusted proxies."""
        return tuple(ip_network(each) for each in filter(None, map(str.strip, self.trusted_proxies.split(","))))

    @property
    def site(self) -> str:
        """Address of the public application as links name it, without a slash at its end."""
        return self.site_url or f"http://{self.public_host}:{self.public_port}"

    @property
    def keys(self) -> Path:
        """Directory of the key files."""
        return self.keys_dir or self.data_dir / "keys"

    @property
    def subject_keys(self) -> Path:
        """File of the subjects' keys."""
        return self.keys / "subjects.keys"

    @property
    def lookup(self) -> Path:
        """File of the look-up keys."""
        return self.lookup_file or self.keys / "lookup.json"

    @property
    def erasures(self) -> Path:
        """List of gifts whose donors' data were erased; beside the look-up keys, for both applications need it."""
        return self.lookup.with_name("erasures")

    @property
    def signing(self) -> Path:
        """File of the signing key."""
        return self.signing_key or self.keys / "signing.pem"

    @property
    def passphrase(self) -> bytes:
        """Of the signing key."""
        if self.signing_passphrase_file is not None:
            return self.signing_passphrase_file.read_bytes().strip()
        return self.signing_passphrase.get_secret_value().encode()

    @property
    def outside_checkpoint(self) -> Path:
        """File of the last signed checkpoint."""
        return self.checkpoint_file or self.data_dir / "checkpoint" / "last"

    @property
    def roles(self) -> Path:
        """Directory of the password files."""
        return self.roles_dir or self.data_dir / "roles"

    @property
    def cluster(self) -> Path:
        """Directory of the embedded PostgreSQL cluster."""
        return self.data_dir / "postgres"

    @property
    def sheets(self) -> Path:
        """Uploaded sheets while they are entered."""
        return self.data_dir / "sheets"
