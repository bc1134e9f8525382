"""The schema's history: forward only, readable SQL, one statement an execute (asyncpg refuses several)."""
