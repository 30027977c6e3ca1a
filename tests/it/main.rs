mod format;
mod money;
mod phone;
