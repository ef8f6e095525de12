"""Pages of settlement form: blocks and homes without access, and new paths that are chosen and edited by hand."""
