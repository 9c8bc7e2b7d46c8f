// Package swanctl reads the files of strongSwan's swanctl: swanctl.conf and strongswan.conf with what they include, and the
// folder with certificates and keys around them.
//
// # Syntax
//
// [Parse] reads a file as strongSwan 5.9 and 6.0 read it, and gives a tree of texts with the place of each:
//
//   - Sections are `name { … }`, keys are `name = value`; a newline or the end of the section ends a value. Between a name
//     and what follows it there may be newlines.
//   - A value is words and strings in double quotes, one space between them. In quotes \n, \r, \t, \" and \\ are what they
//     are elsewhere, a backslash at the end of a line joins it with the next one, and any other character after a backslash
//     is itself. Quotes may go over lines.
//   - `#` begins a comment anywhere but in quotes. A `}` outside of quotes ends a value.
//   - A section or key that is there twice is one: sections are merged, and of keys the last value holds, in the place of
//     the first. An empty value takes a key away; `""` is a value.
//   - `include PATTERN` reads the files that match, in the place of the line: within a section they add to the section. The
//     pattern is as in a shell, without braces, relative to the folder of the file that it stands in. That none matches is a warning.
//   - `name : other, a.b { … }` inherits from sections that are named by their whole path, wherever they stand and whatever they
//     inherit themselves. What is in the section itself goes first and counts before what is inherited; of several the first
//     named counts; an empty value takes an inherited key away.
//
// Differences: a reference to a section that contains it, directly or by others, is an error where strongSwan ends in an endless
// recursion; files that include themselves are an error where strongSwan stops after some rounds without a word; a name that is both a key and
// a section is an error; there are limits (maxDepth in limits.go and others).
//
// # The folder
//
// [ReadFolder] makes of swanctl.conf and the folders of certificates and keys around it what `swanctl --load-all` would have sent to the daemon, and
// gives it to the methods of [config.Loaded] that VICI's commands use as well.
//
// An error is an [*Error]. It never quotes the text that it is about, which may be a secret.
package swanctl
