// Package tree holds the values of a configuration, each with the place where it was written.
//
// A [Table] has entries in the order in which they were written; an entry has a name, its place and a [Value]. There
// are two ways to get one:
//
//   - [ParseTOML] reads a file. Its values have TOML's types.
//   - [New] and the methods Add… fill one from sections, lists and values as VICI has them, where every value is a text
//     ([Text]) and only the schema knows what it stands for. There are no lines: the places have the origin's name.
//
// The package knows TOML and nothing of what a configuration means: which keys there are, and what they may have as values,
// is for package config, which reads from tables only. It imports nothing of ours.
//
// A tree is filled by one goroutine; after that any number may read it.
package tree
