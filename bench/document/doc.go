// Package document writes what people read of a run: files, tables in Markdown, plots.
package document
