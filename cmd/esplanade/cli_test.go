package main

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCommandLine holds commands to their exit codes, to writing results to standard output and everything else to
// standard error, and to messages that say what to do.
func TestCommandLine(t *testing.T) {
	l := newLab(t)
	good := l.write("good.toml", strings.Replace(l.text(leftSide(500)), "127.0.0.1:0", "127.0.0.1:9700", 1))
	bad := l.write("bad.toml", "[connections.x]\nencap = 1\n")
	secret := l.write("open.psk", testPSK+"\n")
	if err := os.Chmod(secret, 0o644); err != nil {
		t.Fatal(err)
	}
	open := l.write("open.toml", strings.Replace(l.text(leftSide(500)), `secret = "`+testPSK+`"`, `secret_file = "open.psk"`, 1))
	missing := filepath.Join(l.dir, "missing.toml")
	dead := l.path("dead.vici")
	u, err := net.ListenUnix("unix", &net.UnixAddr{Name: dead, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	u.SetUnlinkOnClose(false)
	u.Close()
	nobody := l.path("nobody.vici")

	for _, c := range []struct {
		args   string
		code   int
		stdout string // a part of it; "" is nothing at all
		stderr string // likewise
	}{
		{"", exitOK, "Try it without any set-up:  esplanade demo", ""},
		{"--help", exitOK, "Exit codes: 0, done; 1, not done", ""},
		{"help", exitOK, "Available Commands:", ""},
		{"help run", exitOK, "On SIGHUP it reads the configuration", ""},
		{"help completion bash", exitOK, "source <(esplanade completion bash)", ""},
		{"run --help", exitOK, "On SIGTERM or SIGINT it deletes its", ""},
		{"help nothing", exitUsage, "", `there is no command "nothing"; there are check, completion, demo, explain, export, help, import, initiate, ipsec, pair, pki, redirect, rekey, reload, run, status, terminate, unblock, user, version, xfrm; see`},
		{"help status nothing", exitUsage, "", `there is no command "status"`},
		{"statsu", exitUsage, "", `there is no command "statsu"; did you mean status?`},
		{"--nope", exitUsage, "", "esplanade: unknown flag: --nope; see `esplanade --help`\n"},
		{"status --nope", exitUsage, "", "esplanade: unknown flag: --nope; see `esplanade status --help`\n"},

		{"version", exitOK, "esplanade " + version, ""},
		{"--version", exitOK, "esplanade " + version, ""},
		{"version 2", exitUsage, "", `version takes no argument, not "2"`},

		{"completion", exitOK, "esplanade completion [command]", ""},
		{"completion bash", exitOK, "__esplanade_debug", ""},
		{"completion zsh", exitOK, "#compdef esplanade", ""},
		{"completion fish", exitOK, "complete -c esplanade", ""},
		{"completion tcsh", exitUsage, "", `there is no command "tcsh"`},
		{"completion bash x", exitUsage, "", `bash takes no argument, not "x"`},

		{"check -c " + good + " b", exitUsage, "", "check takes one FILE, not " + good + " and b; see `esplanade check --help`"},
		{"check -c " + good, exitOK, good + " is valid: lab/net (start)\n", ""},
		{"check --help", exitOK, "is\n/etc/esplanade/esplanade.toml if it is left out", ""},
		{"check a b", exitUsage, "", "check takes one FILE, not 2"},
		{"check " + good, exitOK, good + " is valid: lab/net (start)\n", ""},
		{"check " + bad, exitFailed, "", bad + ":2:9: connections.x.encap is "},
		{"check " + missing, exitFailed, "", "esplanade: cannot read the configuration " + missing + ": no such file or directory; write one (docs/examples has some), or name another file\n"},
		{"check " + l.dir, exitFailed, "", "cannot read the configuration " + l.dir + ": is a directory"},
		{"check " + open, exitFailed, "", "chmod 600 " + secret},

		{"check --swanctl cli_test.go", exitFailed, "", "cannot read the configuration cli_test.go/swanctl.conf: not a directory; name a folder with --swanctl, not its swanctl.conf"},
		{"ipsec auto --up net", exitUsage, "", `"auto" is not done here: that is ` + "`esplanade ipsec up NAME`"},
		{"ipsec whack --status", exitUsage, "", `"whack" is not done here: `},
		{"ipsec secrets", exitUsage, "", `"secrets" is not done here: that is ` + "`esplanade ipsec reload`"},
		{"ipsec statusal", exitUsage, "", `unknown command "statusal"; the commands are status`},
		{"ipsec --nope", exitUsage, "", "unknown flag: --nope; see `esplanade ipsec --help`"},
		{"ipsec status --nope", exitUsage, "", "unknown flag: --nope; see `esplanade ipsec status --help`"},
		{"run x", exitUsage, "", `run takes no argument, not "x"`},
		{"run -c " + missing, exitFailed, "", "cannot read the configuration " + missing},
		{"run -c " + bad, exitFailed, "", bad + ":2:9: connections.x.encap is "},
		{"run -c", exitUsage, "", "flag needs an argument"},

		{"explain", exitOK, "E-AUTH-PSK", ""},
		{"explain E-AUTH-PSK", exitOK, "E-AUTH-PSK: wrong pre-shared key\n", ""},
		{"explain auth_psk", exitOK, "E-AUTH-PSK: wrong pre-shared key\n", ""},
		{"explain e-auth-pks", exitFailed, "", "esplanade: there is no code \"e-auth-pks\"; did you mean E-AUTH-PSK? `esplanade explain` lists all codes\n"},
		{"explain E-XYZZY", exitFailed, "", "esplanade: there is no code \"E-XYZZY\"; `esplanade explain` lists all codes\n"},
		{"explain E-TS E-DPD", exitUsage, "", "explain takes one CODE, not 2"},
		{"explain --help", exitOK, "Without CODE it lists all codes", ""},

		{"status --socket " + nobody, exitFailed, "", "no daemon is at " + nobody + ": start one with `esplanade run -c FILE`, or name its socket with --socket or ESPLANADE_SOCKET"},
		{"status --socket " + dead, exitFailed, "", "the daemon at " + dead + " has ended: start it again"},
		{"status --socket " + good, exitFailed, "", good + " is no socket: name control.socket of the daemon's configuration"},
		{"status --socket /" + strings.Repeat("x", 120), exitFailed, "", "is too long for the path of a socket"},
		{"status a b", exitUsage, "", "status takes one NAME, not 2"},
		{"initiate", exitUsage, "", "initiate needs a NAME"},
		{"initiate a --timeout soon", exitUsage, "", `invalid argument "soon" for "--timeout" flag`},
		{"initiate a --timeout -1s", exitUsage, "", "--timeout is -1s: it must not be negative"},
		{"initiate a --socket " + nobody, exitFailed, "", "no daemon is at"},
		{"terminate", exitUsage, "", "terminate needs a NAME"},
		{"terminate a --socket " + dead, exitFailed, "", "has ended: start it again"},
		{"redirect a", exitUsage, "", "redirect needs a NAME and a GATEWAY"},
		{"redirect a 192.0.2.9 --socket " + nobody, exitFailed, "", "no daemon is at"},
		{"reload x", exitUsage, "", `reload takes no argument, not "x"`},
		{"reload --socket " + nobody, exitFailed, "", "no daemon is at"},
		{"rekey", exitUsage, "", "rekey needs a NAME"},
		{"rekey a --timeout -3s", exitUsage, "", "--timeout is -3s: it must not be negative"},
		{"rekey a --timeout 3s --no-wait", exitUsage, "", "give one of them"},
		{"rekey a --socket " + nobody, exitFailed, "", "no daemon is at"},

		{"demo x", exitUsage, "", `demo takes no argument, not "x"`},
		{"demo --duration 0", exitUsage, "", "--duration is 0s: it must be more than 0 and at most 20s"},
		{"demo --duration 21s", exitUsage, "", "--duration is 21s: it must be more than 0 and at most 20s"},
		{"demo --ike bogus", exitUsage, "", `--ike: proposal "bogus"`},
		{"demo --esp aes128gcm16-bogus", exitUsage, "", `--esp: proposal "aes128gcm16-bogus"`},
	} {
		t.Run(c.args, func(t *testing.T) {
			code, stdout, stderr := cli(strings.Fields(c.args)...)
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			for _, o := range []struct{ name, got, want string }{{"stdout", stdout, c.stdout}, {"stderr", stderr, c.stderr}} {
				if o.want == "" && o.got != "" || !strings.Contains(o.got, o.want) {
					t.Errorf("%s is %q, want %q in it", o.name, o.got, o.want)
				}
			}
			if code != exitOK && !strings.HasSuffix(stderr, "\n") {
				t.Error("the message is not a line")
			}
		})
	}
}

// TestHelpIsTrue: every command explains itself, and each flag has a description that says what it takes.
func TestHelpIsTrue(t *testing.T) {
	for _, c := range newRoot(io.Discard, io.Discard).Commands() {
		if c.Long == "" || c.Short == "" {
			t.Errorf("%s does not say what it does", c.Name())
		}
		code, stdout, stderr := cli(c.Name(), "--help")
		if code != exitOK || stderr != "" || !strings.Contains(stdout, "Usage:") {
			t.Errorf("%s --help: %d, %q", c.Name(), code, stderr)
		}
		_, other, _ := cli("help", c.Name())
		if other != stdout {
			t.Errorf("help %s and %s --help differ:\n%s\n%s", c.Name(), c.Name(), other, stdout)
		}
	}
}

// TestUnreadable: a configuration, and a control socket, that this user has no right to.
func TestUnreadable(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may read everything")
	}
	l := newLab(t)
	file := l.write("good.toml", l.text(leftSide(500)))
	if err := os.Chmod(file, 0); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := cli("check", file)
	if code != exitFailed || !strings.Contains(stderr, "permission denied; run as the user who may read it") {
		t.Errorf("%d, %q", code, stderr)
	}
}

// TestNobodyAtASocket: a socket that a killed daemon has left behind is as good as none, so that the daemon of a folder of swanctl is found.
func TestNobodyAtASocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	dialed := func() error {
		c, err := net.Dial("unix", path)
		if err == nil {
			c.Close()
		}
		return err
	}
	if err := dialed(); !isNobody(err) {
		t.Errorf("no socket: %v", err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if err := dialed(); isNobody(err) {
		t.Errorf("somebody listens: %v", err)
	}
	l.Close()
	if err := dialed(); !isNobody(err) {
		t.Errorf("a socket without a daemon: %v", err)
	}
}
