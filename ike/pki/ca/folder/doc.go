// Package folder keeps a CA in a plain folder, in which a person finds what they look for:
//
//	ca.crt  ca.key       the certificate of the CA, and its key
//	ca.crl               its revocation list, as DER
//	NAME.crt  NAME.key   a certificate that was issued, and its key
//	NAME.crt  NAME.p12   a certificate that was issued, and it with its key in a bundle, for a phone
//	issued/SERIAL.crt    every certificate that was ever issued: this is the list of them
//	revoked.txt          what was revoked, when and why
//	revoked/             the files of what was revoked
//	crl-number  crl-uris what the next CRL needs, and where the CRL can be fetched
//
// A file is written to a temporary one, synchronized, and renamed, so that it is there whole or not at all; a new one never takes the
// place of another. Private keys and bundles are for their owner's eyes only.
//
// The order of writing is what makes a crash harmless at every point. A certificate is in issued/ before anybody can have it, so that
// whatever can prove something is in the list and can be revoked; a key whose certificate was not written is taken up by the next run.
// Who revokes writes revoked.txt before the CRL, and the CRL is made of that alone.
//
// A lock on the folder keeps two runs apart that write. The functions are for one goroutine.
package folder
