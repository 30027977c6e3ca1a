//! 202 means committed, and the platform is only read, whatever the database server's defaults are.
