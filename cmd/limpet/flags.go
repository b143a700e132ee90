package main

import (
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// errReported marks errors that the user has been told about already.
var errReported = errors.New("already reported")

// flagSet is a flag.FlagSet whose flags are also read from the environment: --http-addr from LIMPET_HTTP_ADDR. What
// the command line says wins.
type flagSet struct{ *flag.FlagSet }

func newFlagSet(command string, std streams) flagSet {
	f := flag.NewFlagSet("limpet "+command, flag.ContinueOnError)
	f.SetOutput(std.err)
	return flagSet{f}
}

// parse reads the environment, then the arguments. There are no positional ones.
func (f flagSet) parse(args []string) error {
	var failed error
	f.VisitAll(func(fl *flag.Flag) {
		name := "LIMPET_" + strings.ToUpper(strings.ReplaceAll(fl.Name, "-", "_"))
		if value, ok := os.LookupEnv(name); ok {
			if err := fl.Value.Set(value); err != nil {
				failed = fmt.Errorf("%w: %s=%q: %w", errUsage, name, value, err)
			}
		}
	})
	if failed != nil {
		return failed
	}
	if err := f.Parse(args); err != nil {
		return errors.Join(errUsage, errReported, err)
	}
	if f.NArg() > 0 {
		return fmt.Errorf("%w: unexpected argument %q", errUsage, f.Arg(0))
	}
	return nil
}

// list is a flag that may be repeated, or be given several values with commas. The first value replaces the default.
type list struct {
	values []string
	set    bool
}

func (l *list) String() string { return strings.Join(l.values, ",") }

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

// prefixes is a flag of CIDRs with commas. A single address stands for itself.
type prefixes []netip.Prefix

func (p *prefixes) String() string { return fmt.Sprint([]netip.Prefix(*p)) }

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

func (h *clientHeaders) Set(s string) error {
	parsed := clientHeaders{}
	for name := range strings.SplitSeq(s, ",") {
		switch id := http1.NameID([]byte(strings.TrimSpace(name))); id {
		case http1.FieldXForwardedFor, http1.FieldForwarded, http1.FieldXRealIP:
			parsed = append(parsed, id)
		default:
			return fmt.Errorf("%q is none of X-Forwarded-For, Forwarded and X-Real-IP", name)
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
