package lab

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of the times in /proc: USER_HZ, which is 100 on every architecture that Go has.
const clockTick = time.Second / 100

// errProc is wrapped by errors about what is read from /proc.
var errProc = errors.New("lab: /proc")

// parseStat reads the user and system time of a process from /proc/PID/stat. The name of the program is in parentheses and
// may have spaces and parentheses in it.
func parseStat(b []byte) (time.Duration, error) {
	i := bytes.LastIndexByte(b, ')')
	if i < 0 {
		return 0, fmt.Errorf("%w: stat without a name: %.80q", errProc, b)
	}
	// What follows the name begins with field 3; utime and stime are fields 14 and 15.
	f := strings.Fields(string(b[i+1:]))
	if len(f) < 13 {
		return 0, fmt.Errorf("%w: stat with %d fields", errProc, len(f)+2)
	}
	var sum uint64
	for _, s := range f[11:13] {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%w: stat: %w", errProc, err)
		}
		sum += n
	}
	return time.Duration(sum) * clockTick, nil
}

// parseMachine reads from /proc/stat how long all CPUs together were not idle, and how long the hypervisor gave them to others.
func parseMachine(b []byte) (busy, stolen time.Duration, err error) {
	line, _, _ := strings.Cut(string(b), "\n")
	f := strings.Fields(line)
	if len(f) < 9 || f[0] != "cpu" {
		return 0, 0, fmt.Errorf("%w: %.80q", errProc, line)
	}
	for i, s := range f[1:9] {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("%w: stat: %w", errProc, err)
		}
		// user nice system idle iowait irq softirq steal: idle and iowait are no work.
		switch i {
		case 3, 4:
		case 7:
			stolen = time.Duration(n) * clockTick
		default:
			busy += time.Duration(n) * clockTick
		}
	}
	return busy, stolen, nil
}

// parseRSS reads the resident memory of a process in bytes from /proc/PID/status.
func parseRSS(b []byte) (uint64, error) {
	for line := range strings.Lines(string(b)) {
		v, ok := strings.CutPrefix(line, "VmRSS:")
		if !ok {
			continue
		}
		f := strings.Fields(v)
		if len(f) != 2 || f[1] != "kB" {
			break
		}
		n, err := strconv.ParseUint(f[0], 10, 54)
		if err != nil {
			return 0, fmt.Errorf("%w: VmRSS: %w", errProc, err)
		}
		return n << 10, nil
	}
	return 0, fmt.Errorf("%w: no VmRSS", errProc)
}

// listens reports whether a table of TCP sockets, /proc/PID/net/tcp, has one that listens on the port.
func listens(b []byte, port uint16) bool {
	suffix := fmt.Sprintf(":%04X", port)
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) > 3 && strings.HasSuffix(f[1], suffix) && f[3] == "0A" { // TCP_LISTEN
			return true
		}
	}
	return false
}

// CPU is the time that a process has taken so far, all threads together.
func CPU(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	return parseStat(b)
}

// MachineTimes is how long all CPUs together were busy so far, and how long the hypervisor gave them to others.
func MachineTimes() (busy, stolen time.Duration, err error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0, err
	}
	return parseMachine(b)
}

// RSS is the resident memory of a process in bytes.
func RSS(pid int) (uint64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	return parseRSS(b)
}

// Kernel is the kernel's release; empty if the system has no /proc.
func Kernel() string {
	b, _ := os.ReadFile("/proc/sys/kernel/osrelease") // what is not known is empty
	return strings.TrimSpace(string(b))
}

// LoadAverage are the three numbers; empty if the system has no /proc.
func LoadAverage() string {
	b, _ := os.ReadFile("/proc/loadavg") // what is not known is empty
	f := strings.Fields(string(b))
	return strings.Join(f[:min(3, len(f))], " ")
}

// ProcField is the first value that a file of /proc with lines "name : value" has for a name; empty if it has none.
func ProcField(file, name string) string {
	b, _ := os.ReadFile("/proc/" + file) // what is not known is empty
	return field(string(b), name)
}

func field(text, name string) string {
	for line := range strings.Lines(text) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == name {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
