// Package report holds the figures of a side-by-side run and turns them into what people read: a table in Markdown, the
// comparison with the targets, and a plot. The JSON has everything; the others are made from it and can be made again.
package report

import (
	"time"
)

// Wire is a model of the cable between the gateways.
type Wire string

// The two models.
const (
	// WireSuper lets super-packets of up to 64 KiB pass whole, as a veth pair does by default. It flatters everybody who
	// hands the kernel large sends.
	WireSuper Wire = "super"
	// WireMTU has no segmentation offload: nothing larger than one MTU is on the wire, as with a network card that can't
	// segment UDP. The kernel cuts large sends in software, which costs about half a microsecond for each packet.
	WireMTU Wire = "mtu"
)

// Title names the wire in tables.
func (w Wire) Title() string {
	switch w {
	case WireSuper:
		return "super-packet wire"
	case WireMTU:
		return "MTU wire"
	}
	return string(w)
}

// Keys of the contestants that comparisons name.
const (
	KeyVeth      = "veth"
	KeySwan      = "strongswan"
	KeyWireGuard = "wireguard-go"
	KeyEsplanade = "esplanade"
	KeyAES256    = "esplanade-aes256"
	KeyNull      = "esplanade-null"
)

// Metric is a quantity that is measured for a contestant on a wire.
type Metric string

// The metrics, with their units.
const (
	TCP1       Metric = "tcp1"        // Gbit/s, one stream
	TCP8       Metric = "tcp8"        // Gbit/s, eight streams together
	TCPReverse Metric = "tcp_reverse" // Gbit/s, one stream from b to a
	TCPBidir   Metric = "tcp_bidir"   // Gbit/s, one stream each way, together

	// CPU seconds for each GB of payload during TCP1, by process: the gateways of the sender and of the receiver, iperf3 at
	// both ends, and everything that this machine did. A process is charged also with what the kernel does in its name,
	// such as carrying what it sends across the veth and into the other namespace.
	CPUSealer  Metric = "cpu_sealer"
	CPUOpener  Metric = "cpu_opener"
	CPUClient  Metric = "cpu_client"
	CPUServer  Metric = "cpu_server"
	CPUMachine Metric = "cpu_machine"
	RSS        Metric = "rss" // MB, the larger gateway after the TCP measurements

	UDP64   Metric = "udp64"   // packets/s of 64 bytes
	UDP512  Metric = "udp512"  // packets/s of 512 bytes
	UDP1400 Metric = "udp1400" // packets/s of 1400 bytes

	IdleP50 Metric = "idle_p50" // µs, round trip
	IdleP99 Metric = "idle_p99"
	HalfP50 Metric = "half_p50" // µs, at half of the contestant's own TCP1
	HalfP99 Metric = "half_p99"
	SameP50 Metric = "same_p50" // µs, at half of wireguard-go's TCP1, for all the same
	SameP99 Metric = "same_p99"
)

// lostRoundTrip in µs stands for a ping that was not answered: a second, which is when it is given up.
const lostRoundTrip = 1e6

// Sample is one figure.
type Sample struct {
	Run        int // from 1
	Wire       Wire
	Contestant string
	Metric     Metric
	Value      float64
}

// Failure is a measurement that did not come about.
type Failure struct {
	Run        int    `json:"run"`
	Wire       Wire   `json:"wire"`
	Contestant string `json:"contestant"`
	What       string `json:"what"`
	Error      string `json:"error"`
}

// Contestant describes one of those that are compared.
type Contestant struct {
	Key     string `json:"key"`
	Title   string `json:"title"`
	Version string `json:"version"`
	Cipher  string `json:"cipher"`
	MTU     int    `json:"mtu"`               // of the device that the traffic goes through
	Skipped string `json:"skipped,omitempty"` // why it did not take part
	Details string `json:"details,omitempty"` // what it says of itself, for Esplanade the data path in use
}

// Conditions are what the figures depend on.
type Conditions struct {
	Started      time.Time         `json:"started"`
	Ended        time.Time         `json:"ended"`
	Commit       string            `json:"commit"`
	Uncommitted  bool              `json:"uncommitted"` // the checkout had changes
	Kernel       string            `json:"kernel"`
	CPU          string            `json:"cpu"`
	CPUs         int               `json:"cpus"`
	Memory       string            `json:"memory"`
	Hypervisor   bool              `json:"hypervisor"`
	Go           string            `json:"go"`
	Tools        map[string]string `json:"tools"`
	Sysctls      map[string]string `json:"sysctls"`
	Offloads     map[Wire][]string `json:"offloads"` // of the veth, as ethtool -k shows them
	LoadAverage  string            `json:"load_average"`
	Command      []string          `json:"command"`
	Runs         int               `json:"runs"`
	TCPSeconds   float64           `json:"tcp_seconds"`
	ProbeSeconds float64           `json:"probe_seconds"`
	PingSeconds  float64           `json:"ping_seconds"`
	// Reference is half of wireguard-go's TCP1 in Gbit/s, found before the runs: the load of SameP50 and SameP99.
	Reference map[Wire]float64 `json:"reference"`
}

// Results is everything that a run has found out.
type Results struct {
	Format      int          `json:"format"`
	Conditions  Conditions   `json:"conditions"`
	Contestants []Contestant `json:"contestants"` // in the order of tables
	Samples     []Sample     `json:"-"`           // see series
	Failures    []Failure    `json:"failures,omitempty"`
}

// Values gives the samples of a metric by run. Several samples of one run: the last counts.
func (r *Results) values(w Wire, contestant string, m Metric) map[int]float64 {
	out := map[int]float64{}
	for _, s := range r.Samples {
		if s.Wire == w && s.Contestant == contestant && s.Metric == m {
			out[s.Run] = s.Value
		}
	}
	return out
}

// Wires lists the wires that there are samples for.
func (r *Results) wires() []Wire {
	var out []Wire
	for _, w := range []Wire{WireSuper, WireMTU} {
		for _, s := range r.Samples {
			if s.Wire == w {
				out = append(out, w)
				break
			}
		}
	}
	return out
}

// Title is what a contestant is called in tables.
func (r *Results) Title(key string) string {
	for _, c := range r.Contestants {
		if c.Key == key {
			return c.Title
		}
	}
	return key
}
