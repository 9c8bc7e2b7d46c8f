// Command bench measures Esplanade. It has two parts: benchmarks, and comparisons with other programs and with what is asked.
//
// The benchmarks of this package, `go test -bench . ./bench/`, need neither root nor an operating system in particular.
// They measure what the packages measure together: two engines over UDP on the loopback interface, with a TCP/IP stack in the
// process on each side or with memory and 1, 100 and 10,000 SAs; handshakes from machine to machine. The stages of the packet
// loop have their benchmarks where they live, in packages esp and dataplane.
//
// The comparisons are subcommands, `go run ./bench --help`, each with a package of its own. Sidebyside, `make bench`, puts
// Esplanade beside the programs that people would use instead, between two network namespaces on one machine: a plain veth,
// strongSwan with kernel-libipsec, wireguard-go. It needs root and Linux.
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
// Handshake does the same for the control plane, with Esplanade and strongSwan as responders. Thousand, flood and strangers have
// Esplanade alone: what they say is whether everything went as it must, with many IKE SAs and under attack. Soak and rekey look
// at one pair of Esplanades for a while, sas at two engines in one process, netstack at two of them with TCP/IP stacks behind, and crowd at a gateway whose peers all rekey at once; each ends with verdicts.
//
// What they are made of: the lab of the integration tests (integration/lab); contest builds and starts the programs of a
// comparison, gateways a pair of Esplanades whose metrics it reads; initiators, load and iperf make traffic; stats sums up, proof
// judges, document and report write; command has what the subcommands have in common. What has nothing to do with Linux is
// tested anywhere.
//
// No absolute figure is a test: all that a run says are ratios between contestants, or parts of a run, that shared one machine
// and one hour.
package main
