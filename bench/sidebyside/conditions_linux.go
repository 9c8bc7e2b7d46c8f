package sidebyside

import (
	"context"
	"os"
	"runtime"
	"strings"
	"time"

	"esplanade/bench/contest"
	"esplanade/bench/report"
	"esplanade/integration/lab"
)

// conditions are what is known before anything is measured.
func conditions(ctx context.Context, root string, o *Options) (report.Conditions, error) {
	c := report.Conditions{
		Started: time.Now(), Go: runtime.Version(), CPUs: runtime.NumCPU(), Command: []string{o.Line}, Runs: o.runs,
		TCPSeconds: o.tcp.Seconds(), ProbeSeconds: o.probe.Seconds(), PingSeconds: o.ping.Seconds(),
		Tools: map[string]string{}, Sysctls: map[string]string{}, Offloads: map[report.Wire][]string{}, Reference: map[report.Wire]float64{},
	}
	var err error
	if c.Kernel, err = lab.Kernel(); err != nil {
		return c, err
	}
	cpuinfo, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return c, err
	}
	c.CPU, c.Hypervisor = field(string(cpuinfo), "model name"), strings.Contains(field(string(cpuinfo), "flags"), "hypervisor")
	meminfo, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return c, err
	}
	c.Memory = field(string(meminfo), "MemTotal")
	average, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return c, err
	}
	c.LoadAverage = strings.Join(strings.Fields(string(average))[:3], " ")
	for name, args := range map[string][]string{"iperf3": {"iperf3", "--version"}, "strongSwan": {"swanctl", "--help"}, "ethtool": {"ethtool", "--version"}} {
		if v := contest.Version(ctx, args...); v != "" {
			c.Tools[name] = v
		}
	}
	c.Tools["strongSwan"] = strings.TrimSuffix(strings.TrimPrefix(c.Tools["strongSwan"], "strongSwan "), " swanctl")
	if c.Tools["strongSwan"] == "" {
		delete(c.Tools, "strongSwan")
	}
	for _, key := range []string{"net.core.rmem_max", "net.core.wmem_max", "net.ipv4.tcp_congestion_control"} {
		b, err := os.ReadFile("/proc/sys/" + strings.ReplaceAll(key, ".", "/"))
		if err == nil {
			c.Sysctls[key] = strings.TrimSpace(string(b))
		}
	}
	c.Commit, c.Uncommitted = contest.Commit(ctx, root)
	return c, nil
}

// field finds the value of a line "name : value" in a file of /proc.
func field(text, name string) string {
	for line := range strings.Lines(text) {
		k, v, ok := strings.Cut(line, ":")
		if ok && strings.TrimSpace(k) == name {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
