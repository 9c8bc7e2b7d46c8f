// Package export writes what the other end of a connection needs: profiles for the VPN clients of iOS, macOS, Windows, Android and
// NetworkManager, and the configuration files of gateways and daemons.
//
// [New] makes a [Profile] of a connection and a user: what is at the other end, with the sides changed over, whatever it runs. Each format has a
// file here, which only writes that down in its own words ([Formats]). A format that has no words for something that the connection depends on is
// an error, [*Unsupported]; what it has no words for and can be done without is a warning. Both name the key of the configuration.
//
// Secrets are written only on request, and [Result.Secret] reports that there is one in what was written. What people and files say (names,
// identities, networks) is quoted as each format has it, and refused if it has control characters: a profile is run, or imported with the rights of
// an administrator, somewhere else.
//
// The package is pure: it reads no file, no clock and no randomness but what a signature needs. The same connection and user give the same
// octets, so that a profile that is installed again replaces the one before.
package export
