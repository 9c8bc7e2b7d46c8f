package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"esplanade/config/migrate"
	"esplanade/config/migrate/iked"
	"esplanade/config/migrate/ipsecconf"
	"esplanade/config/migrate/strongswan"
	"esplanade/config/migrate/wgquick"
	"esplanade/config/swanctl"
)

// importFlags are those of import.
type importFlags struct {
	from, out            string
	here                 []string
	inlineSecrets, force bool
}

// importKind is a kind of files that import reads.
type importKind struct {
	name, about string
	// is reports whether a file looks like one, by its name or what is in it.
	is func(name, text string) bool
	// read makes our configuration of files: one for each end of a tunnel, if the files say as much.
	read func(names []string, o migrate.Options) ([]*migrate.Result, error)
}

// importKinds are all there are, in the order in which they are tried.
func importKinds() []importKind {
	return []importKind{
		{"swanctl", "swanctl.conf of strongSwan, or a folder with one, its certificates and its keys; and strongswan.conf", func(_, text string) bool { return strongswan.Is(text) },
			func(names []string, o migrate.Options) ([]*migrate.Result, error) {
				if len(names) > 2 {
					return nil, fmt.Errorf("a swanctl.conf or a folder is read, and a strongswan.conf, not %d files", len(names))
				}
				return oneResult(strongswan.Import(names[0], append(names, "")[1], o))
			}},
		{"iked", "iked.conf of OpenIKED and OpenBSD", func(_, text string) bool { return iked.Is(text) },
			func(names []string, o migrate.Options) ([]*migrate.Result, error) {
				return oneFile(names, o, iked.Import)
			}},
		{"wg-quick", "a file of wg-quick, or those of both ends: makes tunnels with fresh keys, for both ends", func(_, text string) bool { return wgquick.Is(text) },
			func(names []string, o migrate.Options) ([]*migrate.Result, error) {
				return wgquick.Import(names, o, freshKey)
			}},
		ipsecConf("strongswan-ipsec", ipsecconf.StrongSwan, "ipsec.conf of strongSwan, and ipsec.secrets beside it or as the second FILE"),
		ipsecConf("libreswan", ipsecconf.Libreswan, "ipsec.conf of libreswan, versions 4 and 5, and ipsec.secrets likewise"),
	}
}

// ipsecConf is a kind of ipsec.conf.
func ipsecConf(name string, d ipsecconf.Dialect, about string) importKind {
	return importKind{name, about,
		func(_, text string) bool { return ipsecconf.Is(text) && ipsecconf.Detect(text) == d },
		func(names []string, o migrate.Options) ([]*migrate.Result, error) {
			secrets := ""
			if len(names) > 1 {
				secrets = names[1]
			}
			dir, err := filepath.Abs(filepath.Dir(names[0])) // the output need not be in the directory of the source
			if err != nil {
				return nil, err
			}
			return oneResult(ipsecconf.Read(names[0], ipsecconf.Options{Options: o, Dialect: d, Secrets: secrets, Dir: dir}))
		}}
}

func oneResult(r *migrate.Result, err error) ([]*migrate.Result, error) {
	return []*migrate.Result{r}, err
}

// oneFile imports one file.
func oneFile(names []string, o migrate.Options, read func(string, migrate.Options) (*migrate.Result, error)) ([]*migrate.Result, error) {
	if len(names) > 1 {
		return nil, fmt.Errorf("one file is read, with those that it includes, not %d", len(names))
	}
	return oneResult(read(names[0], o))
}

func newImport() *cobra.Command {
	var f importFlags
	c := &cobra.Command{
		Use:   "import FILE... | FOLDER",
		Short: "Make a configuration of another system's",
		Long: `Import reads the configuration of another system and writes one that does the same, with the comments where they belong. Nothing has to
be running, and nothing of what is read is changed. It finds out itself what FILE is, or --from says it:

` + kindTable() + `
"-" is standard input. Secrets go into files of their own beside the output, which nobody else can read, or stay in it with --inline-secrets.
What can't be carried over is listed on standard error, with its line and the reason, and stands as a comment in its place. The result is checked
as "esplanade check" does.

Exit codes: 0, all was carried over; 1, not done, or the result is not valid; 2, wrong command line; 3, done, but something was left out.`,
		Example: `  esplanade import /etc/swanctl -o /etc/esplanade/esplanade.toml
  esplanade import ./swanctl ./strongswan.conf
  esplanade import /etc/ipsec.conf --here 192.0.2.1
  esplanade import /etc/iked.conf
  esplanade import a/wg0.conf b/wg0.conf -o ends`,
		Args: importArgs,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveDefault
		},
		RunE: func(c *cobra.Command, args []string) error { return f.run(c, args) },
	}
	flags := c.Flags()
	flags.StringVar(&f.from, "from", "", "what the files are: a `kind` of the list above")
	flags.StringVarP(&f.out, "output", "o", "", "the `file` to write to, in place of standard output")
	flags.StringArrayVar(&f.here, "here", nil, "an `address` or name of the host that ipsec.conf is for, by which left and right are told apart; several times for several")
	flags.BoolVar(&f.inlineSecrets, "inline-secrets", false, "keep secrets in the configuration, in place of files beside it")
	flags.BoolVar(&f.force, "force", false, "replace files that are there already")
	_ = c.RegisterFlagCompletionFunc("from", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) { // fails for a flag that is not there
		return kindNames(), cobra.ShellCompDirectiveNoFileComp
	})
	return c
}

// kindTable lists the kinds of files.
func kindTable() string {
	var b strings.Builder
	for _, k := range importKinds() {
		fmt.Fprintf(&b, "    %-16s %s\n", k.name, k.about)
	}
	return b.String()
}

func kindNames() (out []string) {
	for _, k := range importKinds() {
		out = append(out, k.name)
	}
	return out
}

func importArgs(c *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return usageError{c, "import needs a FILE or a FOLDER"}
	case slices.Contains(args, ""):
		return usageError{c, "import needs the name of a FILE, not an empty one"}
	}
	return nil
}

// run reads the files, writes the result and says what became of it.
func (f *importFlags) run(c *cobra.Command, args []string) error {
	files := &importFiles{stdin: c.InOrStdin()}
	kind, err := f.kind(c, args, files)
	if err != nil {
		return err
	}
	results, err := kind.read(args, migrate.Options{Files: files, InlineSecrets: f.inlineSecrets, Here: f.here})
	if err != nil {
		return notImported(kind, err)
	}
	left := false
	for _, r := range results {
		for _, l := range r.Left {
			fmt.Fprintln(c.ErrOrStderr(), "not carried over: "+l.String())
			left = true
		}
		for _, n := range r.Notes {
			fmt.Fprintln(c.ErrOrStderr(), "note: "+n)
		}
		for _, s := range r.Secrets {
			warnOpenSource(c.ErrOrStderr(), s)
		}
	}
	lost, err := f.write(c, results)
	if err == nil && (left || lost) {
		err = partlyError{}
	}
	return err
}

// notImported is the error of files that could not be read.
func notImported(kind importKind, err error) error {
	var se *swanctl.Error
	var ie *ipsecconf.SyntaxError
	var me *migrate.Error
	if errors.As(err, &se) || errors.As(err, &ie) || errors.As(err, &me) {
		return err // it has the place
	}
	return fmt.Errorf("cannot import as %s: %w", kind.name, unwrapPath(err))
}

// unwrapPath takes the name of the system call out of an error of the system.
func unwrapPath(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return fmt.Errorf("%s: %w", pe.Path, pe.Err)
	}
	return err
}

// warnOpenSource warns of a file with secrets that others can read.
func warnOpenSource(w io.Writer, name string) {
	if info, err := os.Stat(name); name != migrate.Stdin && err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		fmt.Fprintf(w, "warning: others can read or change %s, which has secrets in it; chmod 600 %s, and choose others if somebody may have read it\n", name, name)
	}
}

// kind finds out what the files are.
func (f *importFlags) kind(c *cobra.Command, args []string, files *importFiles) (importKind, error) {
	all := importKinds()
	if f.from != "" {
		if i := slices.IndexFunc(all, func(k importKind) bool { return k.name == f.from }); i >= 0 {
			return all[i], nil
		}
		return importKind{}, usageError{c, fmt.Sprintf("--from is %q; the kinds are %s", f.from, strings.Join(kindNames(), ", "))}
	}
	name := args[0]
	if info, err := os.Stat(name); name != migrate.Stdin && err == nil && info.IsDir() {
		return f.folderKind(name, all)
	}
	text, err := migrate.Options{Files: files}.Read(name)
	if err != nil {
		return importKind{}, fmt.Errorf("cannot import: %w", unwrapPath(err))
	}
	for _, k := range all {
		if k.is(name, text) {
			return k, nil
		}
	}
	if looksOurs(text) {
		return importKind{}, fmt.Errorf("%s is a configuration of Esplanade already; check it with: esplanade check %s", name, name)
	}
	return importKind{}, fmt.Errorf("%s does not look like any of %s; say what it is with --from", name, strings.Join(kindNames(), ", "))
}

// folderKind is the kind of a folder: there is one that can have one.
func (f *importFlags) folderKind(name string, all []importKind) (importKind, error) {
	if _, err := os.Stat(filepath.Join(name, "swanctl.conf")); err != nil {
		return importKind{}, fmt.Errorf("there is no swanctl.conf in the folder %s; name the file", name)
	}
	return all[0], nil
}

// looksOurs reports whether a text has tables as our configuration has them.
func looksOurs(text string) bool {
	return strings.Contains("\n"+text, "\n[connections.")
}

// importFiles reads files of the host, and standard input, of which it keeps what was in it.
type importFiles struct {
	swanctl.Disk
	stdin io.Reader
	text  []byte
	err   error
}

// ReadFile implements migrate.Files.
func (f *importFiles) ReadFile(name string, limit int64) ([]byte, error) {
	if name != migrate.Stdin {
		return f.Disk.ReadFile(name, limit)
	}
	if f.stdin != nil {
		f.text, f.err = io.ReadAll(io.LimitReader(f.stdin, limit+1))
		f.stdin = nil
	}
	return f.text, f.err
}
