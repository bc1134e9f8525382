"""The admin application: finance, programme, audit, administration. The only one that writes."""
