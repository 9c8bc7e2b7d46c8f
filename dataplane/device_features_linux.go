package dataplane

import (
	"fmt"

	"esplanade/tun"
)

// describe says of each feature of the device whether it is used.
func (d *queueDevice) describe() []Feature {
	name, err := d.dev.Name()
	if err != nil {
		name = "?"
	}
	d.probe.Lock()
	defer d.probe.Unlock()
	f := d.dev.Features()
	all := []Feature{on("device "+name, "raw queues"), d.queuesFeature(f)}
	for _, x := range []struct {
		name, tun string // the switch, and what tun calls it
		used      bool
		how       string
	}{
		{"vnet_hdr", "vnet_hdr", f.VNetHdr, "IFF_VNET_HDR"},
		{"tun_csum", "csum", f.Csum, "checksums are finished here"},
		{"tun_tso", "tso", f.TSO, "TCP super-packets are read"},
		{"tun_tso_ecn", "tso_ecn", f.TSOECN, "also of connections that use ECN"},
		{"tun_uso", "uso", f.USO, "UDP super-packets are read"},
	} {
		if x.used {
			all = append(all, on(x.name, x.how))
			continue
		}
		why := f.Why(x.tun)
		if why == "" && !f.VNetHdr {
			why = "there is no vnet_hdr"
		}
		all = append(all, off(x.name, why))
	}
	return append(all, d.mergeFeature(f))
}

func (d *queueDevice) queuesFeature(f tun.Features) Feature {
	if n := len(d.queues); n > 1 {
		return on(featureQueues, fmt.Sprintf("%d queues", n))
	}
	if why := f.Why("multi_queue"); why != "" {
		return off(featureQueues, why)
	}
	return off(featureQueues, "the device was opened with one queue")
}

// mergeFeature says which super-packets are written.
func (d *queueDevice) mergeFeature(f tun.Features) Feature {
	switch why := f.Why("gso_write"); {
	case d.refused.Load():
		return off(featureMerge, "the kernel has refused super-packets")
	case d.merge.tcp && d.merge.udp:
		return on(featureMerge, "merges tcp and udp")
	case d.merge.tcp:
		return on(featureMerge, "merges tcp")
	case d.noMerge:
		return off(featureMerge, turnedOff)
	case !d.vnet:
		return off(featureMerge, "there is no vnet_hdr")
	default:
		return off(featureMerge, why)
	}
}

// refuse notes that the kernel does not take super-packets.
func (d *queueDevice) refuse() {
	if d.refused.CompareAndSwap(false, true) {
		d.log.Warn("no longer writing super-packets to the device", "why", "the kernel refuses them (EINVAL)")
	}
}
