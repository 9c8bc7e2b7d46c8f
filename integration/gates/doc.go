// Package gates holds the repository to its own rules: what imports what, where a third-party module may be used, that
// every package says what it is for, formatting, file sizes, and that the documents point at things that exist.
//
// A rule is a function from a tree of files to a list of [Violation]s, so that a test can hand it a small bad tree and see
// that it objects. The tree is read with go/parser and not with the go command: build constraints don't hide a file of
// another system from it.
//
// The tables that say what is allowed are in layers.go and modules.go. A new package or module needs a line there, which
// is the moment to ask whether it is in the right place.
package gates
