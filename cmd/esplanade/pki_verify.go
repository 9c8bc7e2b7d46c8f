package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"esplanade/config"
	"esplanade/ike/identity"
	"esplanade/ike/pki"
	"esplanade/ike/pki/ca/folder"
	"esplanade/ike/pki/files"
	"esplanade/ike/pki/revocation"
	"esplanade/ike/policy"
)

// verifyFlags are those of verify.
type verifyFlags struct {
	dir, id, at       string
	conf, connection  string
	cas, between, crl []string
}

func newPKIVerify() *cobra.Command {
	var v verifyFlags
	c := &cobra.Command{
		Use:   "verify FILE...",
		Short: "Judge a certificate as the gateway would",
		Long: `Verify judges the certificates of each FILE as the gateway judges those that a peer sends, with the same code, and without a
network: the first one is the peer's, the others are those of CAs between it and one that is trusted.

--ca names the CAs that are trusted; without it, that of the folder --dir, with its revocation list. --crl names revocation lists; with
one, a certificate is refused also if no list says anything of it, as with revocation = "strict". --id is the identity that the peer
claims; without it, it is taken from the certificate, and only the chain is judged. --at judges as of another time.

-c FILE --connection NAME judges by what that connection of a configuration accepts: its CAs, keys, policies, revocation lists and rules,
and the peer's id if it names one peer. What would be fetched counts as not known.

It prints "accepted", with the chain, and the exit code is 0; or why not, and the exit code is 1.`,
		Args: someArgs("FILE"),
		RunE: func(c *cobra.Command, args []string) error {
			j, err := v.judge(c)
			if err != nil {
				return err
			}
			failed := false
			for _, name := range args {
				line, err := j.verify(c, name)
				if err != nil {
					failed = true
					fmt.Fprintf(c.ErrOrStderr(), "%s: refused: %s\n", printable(name, maxShown), err)
					continue
				}
				fmt.Fprintf(c.OutOrStdout(), "%s: accepted: %s\n", printable(name, maxShown), line)
			}
			if failed {
				return silentError{}
			}
			return nil
		},
	}
	dirFlag(c, &v.dir)
	c.Flags().StringArrayVar(&v.cas, "ca", nil, "a `file` with CAs that are trusted; may be repeated")
	c.Flags().StringArrayVar(&v.between, "intermediate", nil, "a `file` with CAs between, which this gateway has; may be repeated")
	c.Flags().StringArrayVar(&v.crl, "crl", nil, "a `file` with revocation lists; may be repeated")
	c.Flags().StringVar(&v.id, "id", "", "the `identity` that the peer claims, as a configuration writes it")
	c.Flags().StringVarP(&v.conf, "config", "c", "", "a configuration `file`, for --connection")
	c.Flags().StringVar(&v.connection, "connection", "", "the `name` of a connection by whose rules to judge")
	_ = c.RegisterFlagCompletionFunc("config", completeFile) // fails for a flag that is not there
	c.Flags().StringVar(&v.at, "at", "", "the `time` as of which to judge, such as 2027-06-01 or 2027-06-01T12:00:00Z")
	return c
}

// judge is what certificates are held to.
type judge struct {
	now   time.Time
	id    identity.Identity // the zero value: taken from the certificate
	trust pki.Trust
	rules revocation.Rules
}

// judge reads what the flags name.
func (v *verifyFlags) judge(c *cobra.Command) (*judge, error) {
	j := &judge{now: time.Now()}
	var err error
	if v.at != "" {
		if j.now, err = parseTime(v.at); err != nil {
			return nil, usageError{c, err.Error()}
		}
	}
	if v.id != "" {
		if j.id, err = identity.Parse(v.id); err != nil {
			return nil, usageError{c, "--id: " + err.Error()}
		}
		if !j.id.Concrete() {
			return nil, usageError{c, fmt.Sprintf("--id is the pattern %s; write one identity, which a peer would claim", j.id)}
		}
	}
	if v.conf != "" || v.connection != "" {
		return j, v.ofConnection(c, j)
	}
	lists := v.crl
	if len(v.cas) == 0 {
		f, err := folder.Open(v.dir)
		if err != nil {
			return nil, fmt.Errorf("no --ca is given, and %w", err)
		}
		v.cas = []string{f.CAFile()}
		if crl, err := f.CRL(); err != nil {
			return nil, err
		} else if crl != nil && len(lists) == 0 {
			lists = []string{f.CRLFile()}
		}
	}
	if j.trust.Anchors, err = certificatesOf(c, v.cas); err != nil {
		return nil, err
	}
	if j.trust.Intermediates, err = certificatesOf(c, v.between); err != nil {
		return nil, err
	}
	j.rules.Policy = policy.RevocationRelaxed
	for _, name := range lists {
		data, err := readFile(c, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", printable(name, maxShown), err)
		}
		all, err := files.CRLs(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", printable(name, maxShown), err)
		}
		for _, l := range all {
			list, err := revocation.ReadList(name, l.Raw)
			if err != nil {
				return nil, err
			}
			j.rules.Lists = append(j.rules.Lists, list)
		}
		j.rules.Policy = policy.RevocationStrict
	}
	return j, nil
}

// ofConnection judges by what a connection accepts.
func (v *verifyFlags) ofConnection(c *cobra.Command, j *judge) error {
	switch {
	case v.connection == "":
		return usageError{c, "-c needs --connection NAME, of which the peer is to be"}
	case len(v.cas)+len(v.between)+len(v.crl) > 0:
		return usageError{c, "--connection has its own CAs and revocation lists: leave --ca, --intermediate and --crl out"}
	case v.conf == "":
		v.conf = defaultConfig
	}
	conf, err := load(v.conf, c.ErrOrStderr())
	if err != nil {
		return err
	}
	i := slices.IndexFunc(conf.Connections, func(n *config.Connection) bool { return n.Name == v.connection })
	if i < 0 {
		return fmt.Errorf("%s has no connection %q", v.conf, v.connection)
	}
	accepted := conf.Set.Accepted(v.connection, 0)
	if accepted.Trust == nil {
		return fmt.Errorf("%s of %s does not accept certificates: its peer proves itself by something else", v.connection, v.conf)
	}
	j.trust, j.rules = *accepted.Trust, accepted.Rules
	if peer := conf.Connections[i].Remote.ID; v.id == "" && peer.Concrete() {
		j.id = peer
	} else if _, ok := j.id.Matches(peer); v.id != "" && !ok {
		return fmt.Errorf("%s of %s is for %s, and --id is %s", v.connection, v.conf, peer, j.id)
	}
	return nil
}

// certificatesOf reads all certificates of files.
func certificatesOf(c *cobra.Command, names []string) (all []*x509.Certificate, err error) {
	for _, name := range names {
		data, err := readFile(c, name)
		if err == nil {
			var list []*x509.Certificate
			list, err = files.Certificates(data)
			all = append(all, list...)
		}
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				err = errors.New("there is no such file")
			}
			return nil, fmt.Errorf("%s: %w", printable(name, maxShown), err)
		}
	}
	return all, nil
}

// verify judges the certificates of a file.
func (j *judge) verify(c *cobra.Command, name string) (string, error) {
	list, err := certificatesOf(c, []string{name})
	if err != nil {
		return "", err
	}
	var p pki.Presented
	for _, x := range list {
		p.Certs = append(p.Certs, x.Raw)
	}
	id := j.id
	if id.Any() {
		if id, err = firstName(list[0]); err != nil {
			return "", err
		}
	}
	peer, err := j.trust.Judge(j.now, id, p)
	if err != nil {
		return "", err
	}
	verdict := new(revocation.Store).Assess(j.now, peer.Chain, j.rules, nil)
	if err := verdict.Err(); err != nil {
		return "", err
	}
	line := fmt.Sprintf("it proves %s until %s", id, peer.Until.UTC().Format(time.DateTime)+" UTC")
	for i, x := range peer.Chain {
		if i > 0 {
			line += "; issued by " + pki.Subject(x)
		}
	}
	return line + "; " + revocationText(j.rules.Lists, verdict.States), nil
}

// revocationText says what revocation lists say of the certificates of a chain that is accepted.
func revocationText(lists []*revocation.List, states []revocation.State) string {
	if len(lists) == 0 || len(states) == 0 {
		return "no revocation list was looked at"
	}
	for _, s := range states {
		if s.Status != revocation.Good {
			return "no revocation list that counts is about " + pki.Subject(s.Certificate)
		}
	}
	return "not revoked"
}

// firstName is an identity that a certificate proves, by its own word.
func firstName(c *x509.Certificate) (identity.Identity, error) {
	for _, s := range slices.Concat(c.DNSNames, c.EmailAddresses) {
		if id, err := identity.Parse(s); err == nil && id.Concrete() && pki.Binds(c, id) {
			return id, nil
		}
	}
	for _, ip := range c.IPAddresses {
		if id, err := identity.Parse(ip.String()); err == nil && pki.Binds(c, id) {
			return id, nil
		}
	}
	return identity.FromWire(uint8(identity.DERASN1DN), c.RawSubject)
}

// parseTime reads a time as people write it; without one of the day, it is midnight in UTC.
func parseTime(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateTime, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("--at is %q; write a time such as 2027-06-01 or 2027-06-01T12:00:00Z", text)
}
