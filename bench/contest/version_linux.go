package contest

import (
	"context"
	"os/exec"
	"strings"

	"esplanade/integration/lab"
)

// Version is the first line that a program says with the arguments; empty if it isn't there.
func Version(ctx context.Context, args ...string) string {
	path, err := lab.LookPath(args[0])
	if err != nil {
		return ""
	}
	out, _ := exec.CommandContext(ctx, path, args[1:]...).CombinedOutput() // some end with an error after it
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return ""
}
