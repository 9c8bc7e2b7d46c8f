// Package hostdns has this host ask the DNS servers of a tunnel's other side, and takes that back again.
//
// Every system, and every Linux, keeps its resolver's settings in another way. Each way is a method, in a file of its own:
//
//   - resolved.go: systemd-resolved, by resolvectl. The settings are those of the tunnel's device, and go with it.
//   - resolvconf.go: resolvconf(8), that of openresolv or of Debian.
//   - file.go: /etc/resolv.conf, where nobody else looks after it. What was there is kept, and given back unless somebody else has written
//     there since.
//   - scutil.go: macOS.
//
// choose.go finds the one that a host uses. What is about to be changed is written to a state file before it is, so that the next start takes
// back what a run has left that could not end properly.
//
// A peer decides about servers and domains: they are addresses, and names of letters, digits, hyphens and underscores, and nothing else gets into
// a file, an argument or the input of a command. There is never a shell.
//
// A [Resolver] is safe for concurrent use. It has no goroutines; its methods run commands, each for as long as commandTime at most, and
// write files. The package knows nothing of IKE, and imports nothing of ours.
package hostdns
