// Package guess bounds how often passwords of users may be guessed. A [Table] counts wrong ones in three ways, and after too many of them
// no password is compared for a while:
//
//	of      key                          from the Nth on   one is forgotten after   what it is against
//	user    a name and where it is from   5                 10 minutes               somebody who tries passwords
//	name    a name                        20                10 minutes               many who try passwords of one name
//	source  where they are from           60                1 minute                 somebody who tries names
//
// Each wrong password from then on brings a pause, of 2 s, 4 s and so on, up to a minute. What comes within a pause is refused without being
// compared, like a wrong password, and does not make it longer. So nobody is locked out, and who guesses has one guess a minute.
//
// Whoever has come in from a network before is held by the first of the three only: others who guess its name from elsewhere, or other
// names from the same NAT, do not keep it out. Whoever comes from somewhere else for the first time, while its name is guessed by many, waits as they do. That
// can't be told apart.
//
// Names that nobody has count like all others, so that a pause says nothing about whether there is a user. A right password takes its own attempt
// back and forgets the wrong ones of its user from there; those of the name and of the source it leaves: they may be somebody else's.
//
// # What may live here
//
// The counting and its limits. Time is a parameter. What a wrong password is, and what whoever has given it hears, is decided by package
// eap. There is a lock, since steps of conversations are made by several goroutines; nothing waits while it is held.
package guess
