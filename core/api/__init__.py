"""How a program meets the kernel: declared operations over the same services as the pages. See docs/api.md."""
