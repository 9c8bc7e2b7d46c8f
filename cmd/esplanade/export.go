package main

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"esplanade/config"
	"esplanade/config/export"
	"esplanade/ike/credential"
	"esplanade/ike/pki/files"
)

// exportFlags are those of export.
type exportFlags struct {
	config, gateway, out, as    string
	password, bundle, bundlePwd string
	cas                         []string
	withSecret, onDemand        bool
	noSign                      bool
	signCert, signKey           string
}

func newExport() *cobra.Command {
	var f exportFlags
	c := &cobra.Command{
		Use:   "export FORMAT CONNECTION [USER] | --as swanctl",
		Short: "Write what a client or the other end of a connection needs",
		Long: `Export writes a profile for the VPN client of a phone or laptop, or the configuration of another gateway, for a connection of the
configuration and a user of it. Nothing has to be running. FORMAT is one of

` + formatTable() + `
What the format can't express is an error or a warning that names the key. Secrets are written only with --with-secret: a user's password from
the configuration or --password-file, a pre-shared key; clients ask for what is left out. A user's certificate comes from a bundle, as
"esplanade pki client NAME --p12" makes it. A profile for Apple's systems is signed with the gateway's own certificate, or with --sign-cert.

With --as swanctl it is this gateway's own configuration that is written, all of it, as a folder of strongSwan's swanctl: the way back from
"esplanade import". What strongSwan has no words for is listed on standard error, and the exit code is 3.`,
		Example: `  esplanade export mobileconfig phones alice -o alice.mobileconfig
  esplanade export powershell phones bob --p12 bob.p12 --p12-password-file bob.pwd -o bob.ps1
  esplanade export swanctl office --with-secret
  esplanade export --as swanctl --with-secret -o /etc/swanctl`,
		Args:              exportArgs,
		ValidArgsFunction: f.complete,
		RunE: func(c *cobra.Command, args []string) error {
			if f.as != "" {
				return f.asSwanctl(c)
			}
			user := ""
			if len(args) == 3 {
				user = args[2]
			}
			return f.run(c, args[0], args[1], user)
		},
	}
	flags := c.Flags()
	flags.StringVarP(&f.config, "config", "c", defaultConfig, "the configuration `file`")
	flags.StringVar(&f.gateway, "gateway", "", "the `address` or DNS name at which this gateway is reached; else what local.id or local_addrs says")
	flags.StringVarP(&f.out, "output", "o", "", "the `file` to write to, in place of standard output; for nobody else if there is a secret in it; with --as a folder")
	flags.BoolVar(&f.withSecret, "with-secret", false, "write passwords and pre-shared keys too")
	flags.StringVar(&f.password, "password-file", "", "a `file` whose first line is the user's password")
	flags.StringVar(&f.bundle, "p12", "", "a PKCS#12 `file` with the user's certificate and key")
	flags.StringVar(&f.bundlePwd, "p12-password-file", "", "a `file` whose first line is the password of that")
	flags.StringArrayVar(&f.cas, "ca", nil, "a `file` with the CA that the client is to trust; may be repeated; else that of the configuration, or those of the client's system")
	flags.BoolVar(&f.onDemand, "on-demand", false, "have the client bring the tunnel up by itself")
	flags.StringVar(&f.signCert, "sign-cert", "", "a `file` with the certificate, and its chain, to sign a profile for Apple's systems with")
	flags.StringVar(&f.signKey, "sign-key", "", "a `file` with the key of that")
	flags.BoolVar(&f.noSign, "no-sign", false, "do not sign a profile for Apple's systems")
	flags.StringVar(&f.as, "as", "", "write this gateway's own configuration in the `form` of another system: \"swanctl\"")
	_ = c.RegisterFlagCompletionFunc("config", completeFile) // fails for a flag that is not there
	return c
}

// formatTable lists the formats.
func formatTable() string {
	var b strings.Builder
	for _, f := range export.Formats() {
		fmt.Fprintf(&b, "    %-15s %s\n", f.Name, f.For)
	}
	return b.String()
}

func exportArgs(c *cobra.Command, args []string) error {
	as, _ := c.Flags().GetString("as")
	switch {
	case as != "" && as != "swanctl":
		return usageError{c, fmt.Sprintf("--as is %q; the form is swanctl", as)}
	case as != "" && len(args) > 0:
		return usageError{c, fmt.Sprintf("export --as writes all of the configuration, and takes no argument, not %q: name its file with --config", args[0])}
	case as != "":
		return nil
	case len(args) < 2:
		return usageError{c, "export needs a FORMAT and a CONNECTION"}
	case len(args) > 3:
		return usageError{c, fmt.Sprintf("export takes FORMAT, CONNECTION and USER, not %d arguments", len(args))}
	}
	if _, ok := export.FormatOf(args[0]); !ok {
		var names []string
		for _, f := range export.Formats() {
			names = append(names, f.Name)
		}
		return usageError{c, fmt.Sprintf("there is no format %q; the formats are %s", args[0], strings.Join(names, ", "))}
	}
	return nil
}

// complete completes formats, and then the connections of the configuration.
func (f *exportFlags) complete(_ *cobra.Command, args []string, _ string) (list []string, _ cobra.ShellCompDirective) {
	switch len(args) {
	case 0:
		for _, x := range export.Formats() {
			list = append(list, cobra.CompletionWithDesc(x.Name, x.For))
		}
	case 1:
		if conf, err := config.Load(f.config); err == nil {
			for _, n := range conf.Connections {
				list = append(list, n.Name)
			}
		}
	}
	return list, cobra.ShellCompDirectiveNoFileComp
}

// run writes the file.
func (f *exportFlags) run(c *cobra.Command, format, connection, user string) error {
	kind, _ := export.FormatOf(format)
	conf, err := load(f.config, c.ErrOrStderr())
	if err != nil {
		return err
	}
	o := export.Options{Connection: connection, User: user, Gateway: f.gateway, WithSecret: f.withSecret, OnDemand: f.onDemand}
	if err := f.read(c, &o); err != nil {
		return err
	}
	p, err := export.New(conf, o)
	if err != nil {
		return err
	}
	r, err := kind.Write(p)
	if err != nil {
		return err
	}
	warnings := r.Warnings
	if kind.Name == "mobileconfig" && !f.noSign {
		signed, note, err := f.sign(c, r.Data, conf.Set.Own(connection, 0))
		if err != nil {
			return err
		}
		if note != "" {
			warnings = append(warnings, note)
		}
		r.Data = signed
	}
	for _, w := range warnings {
		fmt.Fprintln(c.ErrOrStderr(), "warning: "+w)
	}
	if r.Secret {
		fmt.Fprintln(c.ErrOrStderr(), "warning: there is a secret in it: give it to nobody else, and remove it when it is installed")
	}
	if f.out == "" {
		_, err = c.OutOrStdout().Write(r.Data)
		return err
	}
	mode := os.FileMode(0o644)
	if kind.Private || r.Secret || o.Bundle != nil {
		mode = 0o600
	}
	return replaceFile(f.out, r.Data, mode)
}

// read reads what the flags name.
func (f *exportFlags) read(c *cobra.Command, o *export.Options) error {
	if f.password != "" {
		s, err := passwordOf(f.password)
		if err != nil {
			return err
		}
		o.Password = config.NewSecret([]byte(s))
	}
	var err error
	if o.CAs, err = certificatesOf(c, f.cas); err != nil || f.bundle == "" {
		return err
	}
	data, err := os.ReadFile(f.bundle)
	if err != nil {
		return err
	}
	var secret string
	if f.bundlePwd != "" {
		secret, err = passwordOf(f.bundlePwd)
	} else if secret, err = askPassword(c.InOrStdin(), c.ErrOrStderr(), "password of "+f.bundle+": "); errors.Is(err, errNoTerminal) {
		err = errors.New("the bundle has a password, and there is no terminal to ask for it; use --p12-password-file")
	}
	if err != nil {
		return err
	}
	b, err := files.PKCS12(data, []byte(secret))
	if err != nil {
		return fmt.Errorf("%s %w", f.bundle, err)
	}
	o.Bundle, o.BundlePassword, o.Certificate = data, config.NewSecret([]byte(secret)), b.Certs[0]
	return nil
}

// sign signs a profile with what the flags name, or with the gateway's own certificate. A note says why it is not signed.
func (f *exportFlags) sign(c *cobra.Command, profile []byte, own []credential.Pair) (signed []byte, note string, err error) {
	var chain []*x509.Certificate
	var key crypto.Signer
	switch {
	case (f.signCert == "") != (f.signKey == ""):
		return nil, "", errors.New("--sign-cert and --sign-key: give both, or neither")
	case f.signCert != "":
		if chain, err = certificatesOf(c, []string{f.signCert}); err != nil {
			return nil, "", err
		}
		data, err := os.ReadFile(f.signKey)
		if err != nil {
			return nil, "", err
		}
		if key, err = files.PrivateKey(data, nil); err != nil {
			return nil, "", fmt.Errorf("%s %w", f.signKey, err)
		}
	case len(own) == 0 || len(own[0].Chain) == 0:
		return profile, "the profile is not signed, as the gateway has no certificate: devices show it as unsigned; see --sign-cert", nil
	default:
		chain, key = own[0].Chain, own[0].Signer
	}
	if !export.CanSign(chain[0]) {
		if f.signCert != "" {
			return nil, "", fmt.Errorf("the key of %s is neither RSA nor ECDSA: devices read no other signatures of profiles", f.signCert)
		}
		return profile, "the profile is not signed, as the gateway's key is neither RSA nor ECDSA: devices show it as unsigned; see --sign-cert", nil
	}
	signed, err = export.Sign(profile, chain, key)
	return signed, "", err
}

// replaceFile writes a file at once: whoever opens it sees the old one or the new one.
func replaceFile(path string, data []byte, mode os.FileMode) (err error) {
	// Behind a link is the file to replace. What has its link in /dev is where the output goes already.
	if target, err := filepath.EvalSymlinks(path); err == nil && filepath.Dir(path) != "/dev" {
		path = target
	}
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		_, err := writeTo(path, data)
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".esplanade-*")
	if err != nil {
		return err
	}
	_, err = io.Copy(tmp, bytes.NewReader(data))
	err = errors.Join(err, tmp.Chmod(mode), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(tmp.Name()))
	}
	return err
}

// writeTo writes into what is there, such as a pipe or a device.
func writeTo(path string, data []byte) (n int, err error) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return 0, err
	}
	n, err = f.Write(data)
	return n, errors.Join(err, f.Close())
}
