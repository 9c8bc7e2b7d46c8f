//go:build linux

package lab

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/vishvananda/netlink"
)

// IP runs lines of iproute2's batch language ("addr add … dev …", "-6 route add …").
func (h *Host) IP(lines ...string) error {
	for _, line := range lines {
		if _, err := h.Run(append([]string{"ip"}, strings.Fields(line)...)...); err != nil {
			return err
		}
	}
	return nil
}

// NFT loads an nftables ruleset.
func (h *Host) NFT(ruleset string) error {
	ctx, cancel := context.WithTimeout(context.Background(), runLimit)
	defer cancel()
	_, err := h.RunContext(ctx, Command{Args: []string{"nft", "-f", "-"}, Stdin: ruleset})
	return err
}

// MTU is that of a device of the host.
func (h *Host) MTU(device string) (int, error) {
	out, err := h.Run("ip", "-o", "link", "show", "dev", device)
	if err != nil {
		return 0, err
	}
	var mtu int
	_, rest, _ := strings.Cut(out, " mtu ")
	if _, err := fmt.Sscan(rest, &mtu); err != nil {
		return 0, fmt.Errorf("MTU of %s: %w", device, err)
	}
	return mtu, nil
}

// ForgetTranslations makes a router that translates addresses forget its translations, as when it has been started again or
// its timeouts are short: the next packet of each flow gets a new port.
func (h *Host) ForgetTranslations() error {
	return h.Do(func() error { return netlink.ConntrackTableFlush(netlink.ConntrackTable) })
}

// NetworkState describes what a VPN daemon may change on a host: links, addresses, routes of all tables and
// rules. Two descriptions are equal when nothing was left behind.
func (h *Host) NetworkState() (string, error) {
	var all strings.Builder
	for _, what := range []string{"-o link show", "-o addr show", "-4 route show table all", "-6 route show table all", "-4 rule show", "-6 rule show"} {
		out, err := h.Run(append([]string{"ip"}, strings.Fields(what)...)...)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&all, "# ip %s\n%s", what, volatile.ReplaceAllString(out, ""))
	}
	return all.String(), nil
}

// volatile matches what changes by itself: interface numbers, lifetimes, whether an address is still checked for
// duplicates, and veth's peer index.
var volatile = regexp.MustCompile(`(?m)^\d+: |valid_lft \S+|preferred_lft \S+|expires \S+| ?\btentative\b|link-netnsid \d+| ?proto kernel_lo`)
