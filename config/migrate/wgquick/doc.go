// Package wgquick makes IPsec tunnels of the files of wg-quick (WireGuard), for those who come from there.
//
// Each pair of peers becomes a connection with a pre-shared key of its own, which is made here: WireGuard's keys are for another protocol and go
// nowhere. What each side sends and takes (AllowedIPs, Address) becomes the traffic selectors, and Endpoint the address of the peer.
//
// The configurations of both ends are made: of two files that know each other, from both; of one, from what it says of its peers.
//
// https://man7.org/linux/man-pages/man8/wg-quick.8.html
package wgquick
