// Package fetch gets CRLs and OCSP answers over HTTP from addresses that are in certificates. Neither the addresses nor the servers are
// trusted.
//
// # What an address may lead to
//
// Whoever writes the address into a certificate has this gateway send a request of its choice, from inside a network that it may not
// reach itself. So no connection is made to an address that is not one of the public Internet, nor to one of this gateway: see [Guard].
// That is looked at when the connection is made, for each connection and after names were looked up, so that a name which leads somewhere
// else the second time leads nowhere. Addresses that the operator has written may lead into private networks. A redirection keeps the
// scheme, and where it leads is looked at like the first address.
//
// The address must be one of a certificate whose signature was verified, in a chain that ends at an anchor, of a peer that has proved that
// it has the key: before that, whoever has sent it may be anybody. The caller sees to that.
//
// # What a server may do
//
// It can take its time and send what it likes: time, octets, redirections and headers are bounded, and the content type is not believed,
// nor is a compressed body decompressed. What has come is octets, of which whoever asked for them finds out what they are.
//
// No proxy of the environment is used, no cookie is kept, and no connection is kept open.
package fetch
