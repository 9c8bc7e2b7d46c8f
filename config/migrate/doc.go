// Package migrate turns the configurations of other systems into ours.
//
// A reader of another system's files makes a [Result]: the tree of our configuration, with the comments of the source where they belong, the
// files with secrets that go beside it, and what could not be carried over, with the place and the reason. It builds one with a [Draft].
// [Result.TOML] is the text.
//
// What is carried over means the same here as it did there: a value for which the other system has another default is written out. What cannot be
// said here is left out, which is noted in its place, and never changed into something that is nearly the same.
//
// This package has the result and what all readers need; each reader is a package of its own. None of them touches files but through
// [Options].
package migrate
