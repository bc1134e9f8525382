"""The pages people read: server-rendered, no third party, no cookie, useful without JavaScript."""
