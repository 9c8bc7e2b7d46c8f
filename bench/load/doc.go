// Package load makes and measures traffic. For the side-by-side run that is UDP: how many packets a second pass with hardly any
// loss, and how long a packet takes there and back.
//
// iperf3 sends and receives one packet with each system call and is the bottleneck with small ones. Here up to 64 packets
// go with each sendmmsg and recvmmsg on plain sockets. There is deliberately no UDP_SEGMENT and no UDP_GRO at the endpoints:
// each packet passes the kernel's UDP and IP layers by itself, as the packets of a DNS server or a game would. So what a
// gateway gains by merging packets, it gains by itself.
//
// Each sender and receiver has an OS thread of its own with a raised priority. On a machine that has no CPU to spare, that
// keeps the offered load what it is said to be; everybody is measured like this.
//
// For runs that look at one pair of gateways for a while there are two more kinds of traffic: Streams are TCP connections whose
// bytes are counted while they flow, and Numbered is UDP of which every lost datagram is known.
package load
