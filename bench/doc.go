// Package bench measures Esplanade. It has two parts: benchmarks, and comparisons with other programs.
//
// The benchmarks of this package, `go test -bench . ./bench/`, need neither root nor an operating system in particular.
// They measure what the packages measure together: two engines over UDP on the loopback interface, with a TCP/IP stack in the
// process on each side or with memory and 1, 100 and 10,000 SAs; handshakes from machine to machine. The stages of the packet
// loop have their benchmarks where they live, in packages esp and dataplane.
//
// The command in sidebyside, `make bench`, puts Esplanade beside the programs that people would use instead, between two
// network namespaces on one machine: a plain veth, strongSwan with kernel-libipsec, wireguard-go. It needs root and Linux.
//
//	        namespace a                                   namespace b
//	+---------------------------+                +---------------------------+
//	| 10.10.0.1                 |                |                 10.20.0.1 |
//	|   iperf3, load, ping      |                |      iperf3, load, echo   |
//	|       |                   |                |                   |       |
//	|   gateway (TUN <-> UDP)   |                |   gateway (TUN <-> UDP)   |
//	|       |                   |      veth      |                   |       |
//	|    198.18.0.1 ------------+----------------+------------ 198.18.0.2    |
//	+---------------------------+                +---------------------------+
//
// The command in handshake does the same for the control plane, with Esplanade and strongSwan as responders. Those in thousand
// and flood have Esplanade alone on both sides: what they say is whether everything went as it must, with many IKE SAs and in
// a flood of forged requests. Those in soak and rekey look at one pair of Esplanades for a while, and the one in sas at two
// engines in one process; each ends with verdicts.
//
// The packages command, stats, report, proof, load, iperf, gateways, contest, initiators and scrape are what these
// commands are made of; those that have nothing to do with Linux are tested anywhere.
//
// No absolute figure is a test: all that a run says are ratios between contestants, or parts of a run, that shared one machine
// and one hour.
package bench
