package wireshark

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Frame is what tshark found in one captured frame.
type Frame struct {
	Number    int
	Addresses []string // IP source and destination, outermost first, then those of what ESP carries
	Protocols string   // "eth:ethertype:ip:udp:udpencap:esp:ip:icmp:data"
	Exchange  string   // IKE exchange type
	Payloads  []string // IKE payload types, those inside of SK too
	Decrypted bool     // the content of SK, or of ESP, is known
	SPI       string   // of ESP
	Expert    []string // complaints of level "warning" and above
	Malformed bool
	BadICV    bool
}

// fields are the columns asked for, in the order in which frame() reads them.
var fields = []string{"frame.number", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "frame.protocols", "isakmp.exchangetype", "isakmp.typepayload",
	"isakmp.enc.decrypted", "esp.spi", "esp.decrypted_data", "_ws.expert.severity", "_ws.expert.group", "_ws.expert.message", "_ws.malformed", "esp.icv_bad"}

// protocols are those that a capture of a tunnel may hold.
var protocols = []string{"eth", "ethertype", "arp", "ip", "ipv6", "ipv6.hopopts", "ipv6.fraghdr", "icmp", "icmpv6", "udp", "tcp", "data", "isakmp", "udpencap", "esp"}

// disableOthers switches all other protocols off in the profile: the tests' payload is random, and a heuristic
// dissector that takes it for its own protocol would complain about it.
func disableOthers(ctx context.Context, profile string) error {
	out, err := exec.CommandContext(ctx, "tshark", "-G", "protocols").Output()
	if err != nil {
		return fmt.Errorf("tshark -G protocols: %w", err)
	}
	var off strings.Builder
	for line := range strings.Lines(string(out)) {
		col := strings.Split(strings.TrimRight(line, "\n"), "\t") // name, short name, filter name, …
		if len(col) >= 3 && !slices.Contains(protocols, col[2]) && !strings.HasPrefix(col[2], "_ws.") && col[2] != "frame" {
			fmt.Fprintln(&off, col[2])
		}
	}
	return os.WriteFile(filepath.Join(profile, "disabled_protos"), []byte(off.String()), 0o600)
}

// Dissect runs tshark over a capture with the keys in profile.
func Dissect(ctx context.Context, pcap, profile string) ([]Frame, error) {
	args := []string{"-n", "-r", pcap, "-o", "esp.enable_encryption_decode:TRUE", "-o", "esp.enable_authentication_check:TRUE",
		"-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-o", "tcp.analyze_sequence_numbers:FALSE", "-T", "fields", "-E", "separator=/t", "-E", "aggregator=|", "-E", "occurrence=a"}
	if err := disableOthers(ctx, profile); err != nil {
		return nil, err
	}
	for _, f := range fields {
		args = append(args, "-e", f)
	}
	cmd := exec.CommandContext(ctx, "tshark", args...)
	cmd.Env = append(os.Environ(), "WIRESHARK_CONFIG_DIR="+profile)
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("tshark: %w\n%s", err, complaints.String())
	}
	if s := complaints.String(); strings.Contains(s, "Error loading table") || strings.Contains(s, "esp_sa:") || strings.Contains(s, "ikev2_decryption_table:") {
		return nil, fmt.Errorf("tshark doesn't accept the keys in %s:\n%s", profile, s)
	}
	var frames []Frame
	for line := range strings.Lines(out.String()) {
		f, err := frame(strings.Split(strings.TrimRight(line, "\n"), "\t"))
		if err != nil {
			return nil, err
		}
		frames = append(frames, f)
	}
	return frames, nil
}

// Wireshark's levels and groups of complaints (epan/proto.h). Those of the sequence and response groups are about
// the order and completeness of what was captured, not about what is in a packet.
const (
	severityWarning = 0x00600000 // note and chat are below it
	groupSequence   = 0x02000000
	groupResponse   = 0x03000000
)

func frame(col []string) (Frame, error) {
	if len(col) != len(fields) {
		return Frame{}, fmt.Errorf("tshark: %d columns, want %d: %q", len(col), len(fields), col)
	}
	number, err := strconv.Atoi(col[0])
	if err != nil {
		return Frame{}, fmt.Errorf("tshark: frame number: %w", err)
	}
	f := Frame{Number: number, Protocols: col[5], Exchange: col[6], Payloads: split(col[7]), SPI: col[9], Malformed: col[14] != "", BadICV: strings.Contains(col[15], "1")}
	f.Addresses = append(pairs(col[1], col[2]), pairs(col[3], col[4])...)
	f.Decrypted = col[8] != "" || col[10] != ""
	severities, groups, messages := split(col[11]), split(col[12]), split(col[13])
	if len(groups) != len(severities) {
		return f, fmt.Errorf("tshark: frame %d: %d severities and %d groups", number, len(severities), len(groups))
	}
	for i := range severities {
		severity, err1 := strconv.ParseUint(severities[i], 0, 32)
		group, err2 := strconv.ParseUint(groups[i], 0, 32)
		if err1 == nil && err2 == nil && (severity < severityWarning || group == groupSequence || group == groupResponse) {
			continue
		}
		f.Expert = append(f.Expert, fmt.Sprintf("severity %s group %s: %s", severities[i], groups[i], strings.Join(messages, "; ")))
	}
	return f, nil
}

func split(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "|")
}

func pairs(src, dst string) []string {
	s, d := split(src), split(dst)
	var both []string
	for i := range min(len(s), len(d)) {
		both = append(both, s[i]+" > "+d[i])
	}
	return both
}
