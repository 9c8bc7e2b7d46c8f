// Package iked turns iked.conf of OpenIKED and OpenBSD into our configuration.
//
// The file is read as iked reads it: statements end with their line, unless a backslash joins it with the next one or a brace is open; macros
// (`name = "text"`, then $name) stand for their text wherever they are used; include reads another file in its place. What stands in it is
// https://man.openbsd.org/iked.conf.5.
//
// Each ikev2 statement becomes a connection. An error is an [*migrate.Error], and the first; it never quotes a text, which may be a secret.
package iked
