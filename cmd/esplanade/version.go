package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is the release. Builds from a checkout add the commit.
const version = "0.1.0"

// fullVersion is the release with the commit it was built from, when that is known.
func fullVersion() string {
	v := version
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				v += "+" + s.Value[:12]
			}
		}
	}
	return v
}

// versionText is the line that `version` and --version print.
func versionText() string {
	return fmt.Sprintf("esplanade %s (%s, %s/%s)\n", fullVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: noArgs,
		Long: "Version prints the release, the commit it was built from if that is known, the version of Go, and the platform.",
		Run:  func(c *cobra.Command, _ []string) { fmt.Fprint(c.OutOrStdout(), versionText()) },
	}
}
