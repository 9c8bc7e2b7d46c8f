//go:build linux

package peer

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
)

// StrongSwan is charon-systemd with kernel-libipsec: IKE and ESP in user space, packets over a TUN device. All of
// its files are in the host's directory.
type StrongSwan struct {
	site *lab.Site
	gw   Gateway
	dir  string
	run  run
}

// swanctlDirs are the directories swanctl --load-all looks into; it complains about missing ones.
var swanctlDirs = []string{"conf.d", "x509", "x509ca", "x509ocsp", "x509aa", "x509ac", "x509crl", "pubkey", "private", "rsa", "ecdsa", "bliss", "pkcs8", "pkcs12"}

// newStrongSwan writes the configuration of a strongSwan gateway.
func newStrongSwan(t testing.TB, site *lab.Site, gw Gateway) *StrongSwan {
	t.Helper()
	s := &StrongSwan{site: site, gw: gw, dir: filepath.Join(site.Dir, "ss")}
	for _, d := range swanctlDirs {
		if err := os.MkdirAll(filepath.Join(s.dir, "swanctl", d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range gw.Files {
		write(t, filepath.Join(s.dir, "swanctl", f.Kind, f.Name), string(f.Data))
	}
	write(t, filepath.Join(s.dir, "strongswan.conf"), s.daemonConf())
	write(t, filepath.Join(s.dir, "swanctl", "swanctl.conf"), s.swanctlConf())
	t.Cleanup(func() {
		s.Kill()
		if t.Failed() {
			t.Logf("strongSwan on %s, end of the log:\n%s", site.Name, tail(s.Log(), 60))
		}
	})
	return s
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Kind is "strongswan".
func (s *StrongSwan) Kind() string { return KindStrongSwan }

// Site is where it runs.
func (s *StrongSwan) Site() *lab.Site { return s.site }

// Socket is the path of charon's VICI socket.
func (s *StrongSwan) Socket() string { return filepath.Join(s.dir, "vici") }

func (s *StrongSwan) logPath() string { return filepath.Join(s.dir, "charon.log") }

// Log is charon's log.
func (s *StrongSwan) Log() string {
	b, err := os.ReadFile(s.logPath())
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// Start runs charon and loads the configuration.
func (s *StrongSwan) Start(t testing.TB) {
	t.Helper()
	err := s.launch(t)
	wantRunning(t, s, s.run.process())
	if err != nil {
		t.Fatal(err)
	}
}

// Launch does the same, and it may be killed meanwhile.
func (s *StrongSwan) Launch(t testing.TB) {
	t.Helper()
	err := s.launch(t)
	if err == nil {
		return
	}
	// swanctl may see that charon is dead before we do.
	select {
	case <-s.run.process().Done():
	case <-time.After(startLimit):
		t.Fatal(err)
	}
}

// launch returns the error of loading the configuration.
func (s *StrongSwan) launch(t testing.TB) error {
	t.Helper()
	args := []string{unconfined("charon-systemd")}
	if len(s.gw.Made) > 0 {
		args = append([]string{"sh", "-c", withPlugins, "sh", filepath.Join(s.dir, "plugins"), args[0]}, s.gw.Made...)
	}
	p, err := s.run.start(s.site, "charon", lab.Command{
		Args: args, OwnMounts: len(s.gw.Made) > 0,
		Env: []string{"STRONGSWAN_CONF=" + filepath.Join(s.dir, "strongswan.conf"), "SWANCTL_DIR=" + filepath.Join(s.dir, "swanctl")},
	})
	if err != nil {
		t.Fatal(err)
	}
	waitForControl(t, s, p)
	load := swanctlCommand(s, "--load-all")
	load.Env = append(load.Env, "SWANCTL_DIR="+filepath.Join(s.dir, "swanctl"))
	ctx, cancel := context.WithTimeout(t.Context(), startLimit)
	defer cancel()
	go func() { // swanctl may spin for ever when charon dies in the middle
		select {
		case <-p.Done():
			cancel()
		case <-ctx.Done():
		}
	}()
	_, err = s.site.RunContext(ctx, load)
	return err
}

// withPlugins runs charon with other plugins in addition to those of the system. It looks for them in one folder alone.
const withPlugins = `set -e
dir=$1 charon=$2
shift 2
mkdir -p "$dir"
cp /usr/lib/ipsec/plugins/*.so "$@" "$dir"
mount --bind "$dir" /usr/lib/ipsec/plugins
exec "$charon"
`

// PEAPPlugin is strongSwan's plugin for EAP-PEAP, which integration/deps makes of Debian's source. ok is false where that could not be done.
func PEAPPlugin() (file string, ok bool) {
	out, err := exec.Command("sh", "-c", `printf %s "$(dpkg-query -W -f '${Version}' strongswan-libcharon)"`).Output()
	file = filepath.Join("/var/cache/esplanade-integration", "strongswan-"+string(out), "libstrongswan-eap-peap.so")
	if err == nil {
		_, err = os.Stat(file)
	}
	return file, err == nil
}

// Stop ends charon, which deletes its SAs first.
func (s *StrongSwan) Stop(t testing.TB) {
	t.Helper()
	if err := s.run.process().Stop(stopGrace); err != nil {
		t.Error(err)
	}
}

// Kill ends charon without a word to its peers.
func (s *StrongSwan) Kill() { s.run.kill() }

// daemonConf is strongswan.conf. The firewall mark keeps charon's own packets out of the tunnel, which matters
// when the peer itself is within the remote selectors.
func (s *StrongSwan) daemonConf() string {
	log := ""
	if s.gw.SaveKeys {
		log = "ike = 4\n      chd = 4"
	}
	settings := map[string]string{
		"retransmit_timeout": "0.5", "retransmit_base": "1.0", "retransmit_tries": "4",
		"close_ike_on_child_failure": "yes", // an IKE SA without what it was made for is of no use here
	}
	for k, v := range s.gw.IKE {
		settings[k] = strings.TrimSuffix(strings.Trim(v, `"`), "s") // it takes plain seconds
	}
	return fmt.Sprintf(`charon-systemd {
  load = random nonce openssl aes sha1 sha2 hmac kdf gcm ccm chapoly ctr cmac xcbc curve25519 gmp pem pkcs1 pkcs8 x509 constraints pubkey kernel-libipsec kernel-netlink socket-default vici updown counters %s
%s  plugins {
    vici {
      socket = unix://%s
    }
    kernel-libipsec {
      allow_peer_ts = yes
    }
    kernel-netlink {
      fwmark = !0x42
    }
    socket-default {
      fwmark = 0x42
    }
    %s
  }
  filelog {
    log {
      path = %s
      time_format = %%H:%%M:%%S
      time_add_ms = yes
      flush_line = yes
      append = yes
      default = 1
      %s
    }
  }
}
`, strings.Join(s.gw.Plugins, " "), lines("  ", settings), s.Socket(), s.gw.PluginConf, s.logPath(), log)
}

func (s *StrongSwan) swanctlConf() string {
	if s.gw.Swanctl != "" {
		return s.gw.Swanctl
	}
	var b strings.Builder
	b.WriteString("connections {\n")
	for _, c := range s.gw.Connections {
		fmt.Fprintf(&b, "  %s {\n", c.Name)
		b.WriteString(lines("    ", s.connectionKeys(c)))
		for i, a := range append([]Auth{c.LocalAuth}, c.LocalRounds...) {
			s.writeAuth(&b, "local", i, a, c.LocalID)
		}
		for i, a := range append([]Auth{c.RemoteAuth}, c.RemoteRounds...) {
			s.writeAuth(&b, "remote", i, a, c.RemoteID)
		}
		b.WriteString("    children {\n")
		for _, ch := range c.Children {
			fmt.Fprintf(&b, "      %s {\n%s      }\n", ch.Name, lines("        ", s.childKeys(ch)))
		}
		b.WriteString("    }\n  }\n")
	}
	b.WriteString("}\nsecrets {\n")
	for i, sec := range s.gw.PPKs {
		fmt.Fprintf(&b, "  ppk-%d {\n    secret = %s\n    id = %s\n  }\n", i, quoted(sec.Key), sec.ID)
	}
	for i, sec := range s.gw.Secrets {
		fmt.Fprintf(&b, "  ike-%d {\n    secret = %s\n", i, quoted(sec.Key))
		for j, id := range sec.IDs {
			fmt.Fprintf(&b, "    id-%d = %s\n", j, id)
		}
		b.WriteString("  }\n")
	}
	b.WriteString("}\n" + s.gw.More)
	return b.String()
}

// writeAuth writes a section local or remote; i counts the rounds from 0.
func (s *StrongSwan) writeAuth(b *strings.Builder, side string, i int, a Auth, id string) {
	keys := map[string]string{"auth": a.method(), "id": id}
	if a.Scheme != "" {
		keys["auth"] = a.Scheme
	}
	if i > 0 {
		side, keys["id"], keys["round"] = fmt.Sprintf("%s-%d", side, i+1), a.ID, strconv.Itoa(i+1)
	}
	for key, list := range map[string][]string{"certs": a.Certs, "cacerts": a.CACerts, "pubkeys": a.Pubkeys} {
		if len(list) > 0 {
			keys[key] = strings.Join(list, ",")
		}
	}
	maps.Copy(keys, a.Extra)
	fmt.Fprintf(b, "    %s {\n%s    }\n", side, lines("      ", keys))
}

// quoted is a text between quotes as swanctl.conf has it.
func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

func (s *StrongSwan) connectionKeys(c Connection) map[string]string {
	keys := map[string]string{"version": "2", "local_addrs": anyAddr(c.Local), "remote_addrs": anyAddr(c.Remote), "encap": "yes"}
	if c.NoEncap {
		keys["encap"] = "no"
	}
	if len(c.Proposals) > 0 {
		keys["proposals"] = strings.Join(c.Proposals, ",")
	}
	if c.NoMOBIKE {
		keys["mobike"] = "no"
	}
	if c.NoFragmentation {
		keys["fragmentation"] = "no"
	}
	if c.DPDDelay > 0 {
		keys["dpd_delay"] = seconds(c.DPDDelay)
	}
	if c.RekeyTime > 0 {
		keys["rekey_time"] = seconds(c.RekeyTime)
	}
	if c.keepUp() {
		keys["keyingtries"] = "0" // without end
	}
	if c.PPKID != "" {
		keys["ppk_id"] = c.PPKID
	}
	if c.PPKRequired {
		keys["ppk_required"] = "yes"
	}
	if len(c.VIPs) > 0 {
		keys["vips"] = strings.Join(c.VIPs, ",")
	}
	maps.Copy(keys, c.Extra)
	return keys
}

func (s *StrongSwan) childKeys(c Child) map[string]string {
	keys := map[string]string{"local_ts": strings.Join(c.LocalTS, ","), "remote_ts": strings.Join(c.RemoteTS, ",")}
	if len(c.Proposals) > 0 {
		keys["esp_proposals"] = strings.Join(c.Proposals, ",")
	}
	if c.StartAction != "" {
		keys["start_action"] = c.StartAction
	}
	if c.RekeyTime > 0 {
		keys["rekey_time"] = seconds(c.RekeyTime)
	}
	if c.KeepUp {
		keys["dpd_action"], keys["close_action"] = "start", "start"
	}
	if c.Updown != "" {
		keys["updown"] = c.Updown
	}
	return keys
}

func anyAddr(a netip.Addr) string {
	if !a.IsValid() {
		return "%any"
	}
	return a.String()
}
