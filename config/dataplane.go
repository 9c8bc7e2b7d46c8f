package config

import "fmt"

// Dataplane is how the packet loop works: the table [dataplane]. The defaults are right for almost everybody.
type Dataplane struct {
	Source
	// Workers is the number of packet loops in each direction; 0 chooses by the number of CPUs.
	Workers int `key:"workers" default:"0" range:"0..64"`
	// MSSClamp lowers the MSS option of TCP SYNs to what fits the tunnel.
	MSSClamp bool `key:"mss_clamp" default:"true"`
	// ReceiveBuffer and SendBuffer are the sockets' buffers in bytes; 0 is the engine's choice.
	ReceiveBuffer int `key:"receive_buffer" default:"0" range:"4096..1073741824" unit:"bytes"`
	SendBuffer    int `key:"send_buffer" default:"0" range:"4096..1073741824" unit:"bytes"`
	// WaitPackets is how many packets wait for each child's tunnel to come up; 0 drops them at once.
	WaitPackets int `key:"wait_packets" default:"64" range:"0..1024"`
	// PathMTU is the outer MTU assumed of every path in bytes; 0 asks the system.
	PathMTU int `key:"path_mtu" default:"0" range:"0..65535"`
	// BlackHoleDetection lowers the MTU of paths that drop large packets and say nothing.
	BlackHoleDetection bool `key:"black_hole_detection" default:"true"`
	// CopyDSCP copies the inner DSCP to the outer header.
	CopyDSCP bool `key:"copy_dscp" default:"true"`

	// The features of kernels and network cards. Each is used where it is available.

	// GSO and GRO let the kernel cut and merge UDP packets (UDP_SEGMENT, UDP_GRO).
	GSO bool `key:"gso" default:"true"`
	GRO bool `key:"gro" default:"true"`
	// GSOSentinel adds a byte to runs of packets where the kernel is known to corrupt them otherwise.
	GSOSentinel bool `key:"gso_sentinel" default:"true"`
	// TunOffload reads and writes super-packets on the TUN device: false switches the five below it off.
	TunOffload bool `key:"tun_offload" default:"true"`
	// VNetHdr has a virtio header before every packet of the device, without which the next four do nothing.
	VNetHdr bool `key:"vnet_hdr" default:"true"`
	// TunTSO, TunTSOECN and TunUSO have the device give super-packets of TCP, of TCP with ECN, and of UDP.
	TunTSO    bool `key:"tun_tso" default:"true"`
	TunTSOECN bool `key:"tun_tso_ecn" default:"true"`
	TunUSO    bool `key:"tun_uso" default:"true"`
	// TunGSOWrite writes super-packets to the device.
	TunGSOWrite bool `key:"tun_gso_write" default:"true"`
	// MultiQueue opens a queue of the device for every worker.
	MultiQueue bool `key:"multi_queue" default:"true"`
	// ReusePort gives every worker a socket of its own.
	ReusePort bool `key:"reuse_port" default:"true"`
	// SPISteering has the kernel give each packet to the worker that its SPI names.
	SPISteering bool `key:"spi_steering" default:"true"`
	// RawIO uses batched system calls directly.
	RawIO bool `key:"raw_io" default:"true"`
	// RawESP opens sockets for IP protocol 50 in addition to UDP, as connections with encap = false need when there is no
	// NAT. It is used where the process may.
	RawESP bool `key:"raw_esp" default:"true"`
}

func readDataplane(t *table) (d Dataplane) {
	t.fill(&d)
	if d.PathMTU != 0 && d.PathMTU < minMTU {
		t.errorf(t.at("path_mtu"), fmt.Sprintf("write a number from %d to %d, or 0 to ask the system", minMTU, maxMTU),
			"dataplane.path_mtu is %d", d.PathMTU)
	}
	for _, offload := range []*bool{&d.VNetHdr, &d.TunTSO, &d.TunTSOECN, &d.TunUSO, &d.TunGSOWrite} {
		*offload = *offload && d.TunOffload
	}
	d.Source = t.done()
	return d
}
