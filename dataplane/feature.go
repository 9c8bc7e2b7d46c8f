package dataplane

// Feature is a facility of the system that the packet loop can use, or has to do without.
type Feature struct {
	// Name is that of the switch in the configuration's table [dataplane], where there is one.
	Name string
	Used bool
	// Detail says how it is used, or why it is not.
	Detail string
}

// String gives one line.
func (f Feature) String() string {
	line := f.Name
	if !f.Used {
		line += " is not used"
	}
	if f.Detail != "" {
		line += ": " + f.Detail
	}
	return line
}

// Names of features that have a switch.
const (
	featureRawIO     = "raw_io"
	featureGSO       = "gso"
	featureSentinel  = "gso_sentinel"
	featureGRO       = "gro"
	featureReusePort = "reuse_port"
	featureSteering  = "spi_steering"
	featureRawESP    = "raw_esp"
	featureQueues    = "multi_queue"
	featureMerge     = "tun_gso_write"
)

// turnedOff is why a feature is not used whose switch says so.
const turnedOff = "turned off"

// off is a feature that is not used.
func off(name, why string) Feature { return Feature{Name: name, Detail: why} }

// on is a feature that is used.
func on(name, how string) Feature { return Feature{Name: name, Used: true, Detail: how} }

// Features says of each facility of the system whether it is used: first those of the device, then those of the
// sockets.
func (e *Engine) Features() []Feature {
	return append(e.device.describe(), e.sockets.describe()...)
}

// Paths says, a line each, which sockets are open and what is used of the system.
func (e *Engine) Paths() []string {
	var lines []string
	for _, s := range e.sockets.bound() {
		lines = append(lines, s.Kind.String()+" socket "+s.Local.String())
	}
	for _, f := range e.Features() {
		lines = append(lines, f.String())
	}
	return lines
}
