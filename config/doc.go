// Package config turns a configuration file into typed values.
//
// The file is TOML with the names of swanctl.conf and of strongswan.conf's charon section, so that what people know
// carries over; docs/configuration.md is the reference of every key, and a test holds it to that.
//
// [Load] reads everything that the file says and names, secret files included, and touches nothing else: it opens no
// socket, resolves no name and changes nothing. All that is wrong is reported at once, each as "file:line:column: what is
// wrong; what would be right". Unknown keys are errors, and so are keys of strongSwan that this version can't honour:
// what is silently ignored is what people find out about when the tunnel is down. What is legal but probably not meant
// is a warning.
//
// # Tables
//
// A table has a file with its struct, the tags of its keys (see fill.go and changes.go) and what is checked about it. The
// reader works on a tree of values with positions (package tree), which a file in TOML fills ([Parse]), or sections as swanctl has them: those are
// a [Loaded], and [Config.With] puts the two together (with*.go). dialect.go turns such a section into a table as a file in TOML has it.
//
// # Invariants
//
// A [Config] is complete: every default is filled in, every selector, proposal, identity and duration is parsed, and
// cross references hold. It is never changed after Load returned it and may be read by any goroutine. Every table
// remembers where it and its keys stand in the file, for failure values that name the line.
//
// A [Secret] shows its octets to nobody but a caller of its Bytes method: every way of printing it gives a
// placeholder.
//
// # Certificates
//
// The files with certificates, keys and revocation lists are read with everything else (certfiles.go), and come to one
// [credential.Set]: what this side proves itself with (ownpairs.go), and what it accepts (credentialset.go). [Config.Renewed] makes it
// once more when a file has changed. What is wrong with a certificate at a time, rather than with the configuration, is in
// [Config.CertificateRemarks]: nothing else here asks for the time.
//
// Of this module, the package imports value packages only: its own tree, ike/policy, ike/proposal, ike/selector, ike/identity,
// ike/wire for the numbers of algorithms, and ike/pki and ike/credential for certificates.
package config
