package main

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/observe"
)

// flagSet is a pflag.FlagSet with flags of kinds that pflag does not have.
type flagSet struct{ *pflag.FlagSet }

// completeFlags registers the shell completion of flag values. Without it, shells complete file names.
func completeFlags(cmd *cobra.Command) {
	for name, values := range map[string][]string{
		"log-format":            {"json", "text"},
		"log-level":             observe.LogLevelNames(),
		"metrics-detail":        observe.DetailNames(),
		"tls-min-version":       {"1.2", "1.3"},
		"host-routes":           {"any", "owner"},
		"unmatched-paths":       {"owner", "any"},
		"unenforced-protection": {"deny", "serve"},
		"client-address-headers": {
			http1.FieldXForwardedFor.String(), http1.FieldForwarded.String(), http1.FieldXRealIP.String(),
		},
	} {
		// It fails for a flag that this command does not have.
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	}
	_ = cmd.MarkFlagDirname("manifests")
	_ = cmd.MarkFlagFilename("filename", "yaml", "yml")
}

// list is a flag that may be repeated, or be given several values with commas. The first value replaces the default.
type list struct {
	values []string
	set    bool
}

func (l *list) String() string { return strings.Join(l.values, ",") }

// Type names the kind of value in the help text, as pflag wants.
func (l *list) Type() string { return "list" }

func (l *list) Set(s string) error {
	if !l.set {
		l.values, l.set = nil, true
	}
	for value := range strings.SplitSeq(s, ",") {
		if value = strings.TrimSpace(value); value != "" {
			l.values = append(l.values, value)
		}
	}
	return nil
}

// prefixes is a flag of CIDRs with commas. A single address is a CIDR with one address.
type prefixes []netip.Prefix

func (p *prefixes) String() string {
	texts := make([]string, len(*p))
	for i, prefix := range *p {
		texts[i] = prefix.String()
	}
	return strings.Join(texts, ",")
}

// Type names the kind of value in the help text, as pflag wants.
func (p *prefixes) Type() string { return "CIDRs" }

func (p *prefixes) Set(s string) error {
	parsed := prefixes{}
	for value := range strings.SplitSeq(s, ",") {
		value = strings.TrimSpace(value)
		if value == "" {
			continue
		}
		prefix, err := parsePrefix(value)
		if err != nil {
			return fmt.Errorf("%q is neither an address nor a CIDR such as 10.0.0.0/8", value)
		}
		parsed = append(parsed, prefix)
	}
	*p = parsed
	return nil
}

// clientHeaders is a flag of header names with commas, of those that can hold the address of a client.
type clientHeaders []http1.FieldID

func (h *clientHeaders) String() string {
	var names []string
	for _, id := range *h {
		names = append(names, id.String())
	}
	return strings.Join(names, ",")
}

// Type names the kind of value in the help text, as pflag wants.
func (h *clientHeaders) Type() string { return "headers" }

func (h *clientHeaders) Set(s string) error {
	parsed := clientHeaders{}
	for name := range strings.SplitSeq(s, ",") {
		switch id := http1.NameID([]byte(strings.TrimSpace(name))); id {
		case http1.FieldXForwardedFor, http1.FieldForwarded, http1.FieldXRealIP:
			parsed = append(parsed, id)
		default:
			return fmt.Errorf("%q is not one of X-Forwarded-For, Forwarded and X-Real-IP", name)
		}
	}
	*h = parsed
	return nil
}

func parsePrefix(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(s)
	return prefix.Masked(), err
}

// objectName is a flag that names an object: namespace/name.
type objectName types.NamespacedName

func (n *objectName) String() string {
	if n.Name == "" {
		return ""
	}
	return n.Namespace + "/" + n.Name
}

// Type names the kind of value in the help text, as pflag wants.
func (n *objectName) Type() string { return "namespace/name" }

func (n *objectName) Set(s string) error {
	if s == "" {
		*n = objectName{}
		return nil
	}
	namespace, name, _ := strings.Cut(s, "/")
	if len(validation.IsDNS1123Label(namespace)) > 0 || len(validation.IsDNS1123Subdomain(name)) > 0 {
		return errors.New("it must be namespace/name")
	}
	*n = objectName{Namespace: namespace, Name: name}
	return nil
}
