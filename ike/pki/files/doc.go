// Package files reads certificates, keys and revocation lists as they lie in files: PEM and DER, PKCS #1, PKCS #8, PKCS #12, SEC 1,
// and OpenSSH's own forms. It takes the bytes of a file, and a passphrase where there is one, and returns values; it opens nothing.
//
// A file is not trusted: it may be a download page, the file of another program, or half of what it will be when an editor has
// finished. What can't be read is an [*Error], which says what the file is in place of what was asked for, and, where another
// program can turn it into that, the command. All sizes and counts are bounded, and so is the work that a file can ask for before
// its passphrase is known to be right ([MaxIterations] and the limits of scrypt).
//
// # What may live here
//
// Forms of files, each in a file of its own, and what recognises them ([Identify]). Whether a certificate is good for anything is
// package pki's business; which file is for what, and who may read it, is that of the configuration.
//
// # Keys that are not in files
//
// A private key is a [crypto.Signer] for whoever uses it. One that lies in a TPM 2.0 or behind PKCS #11 is another implementation of
// that interface: it would be made by the configuration from a table that names the token ([secrets.token.NAME] of swanctl.conf),
// in a package of its own with the module that it needs, and put into a credential.Pair as a key from a file is. Its Public method
// answers at once, since the pair is found by it; its Sign may take as long as it likes and fail, because it is called where
// requests are carried out and never in the event loop. Nothing in this package has to change for that.
package files
