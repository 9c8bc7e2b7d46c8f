// Package load makes and measures UDP traffic for the side-by-side run: how many packets a second pass with hardly any
// loss, and how long a packet takes there and back.
//
// iperf3 sends and receives one packet with each system call and is the bottleneck with small ones. Here up to 64 packets
// go with each sendmmsg and recvmmsg on plain sockets. There is deliberately no UDP_SEGMENT and no UDP_GRO at the endpoints:
// each packet passes the kernel's UDP and IP layers by itself, as the packets of a DNS server or a game would. So what a
// gateway gains by merging packets, it gains by itself.
//
// Each sender and receiver has an OS thread of its own with a raised priority. On a machine that has no CPU to spare, that
// keeps the offered load what it is said to be; everybody is measured like this.
package load
