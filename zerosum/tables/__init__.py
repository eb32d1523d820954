"""Tables: what columns mean (`schema`), how rows become numbers and numbers rows again (`codec`), files in and out."""
