package translate

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
)

const (
	maxParts     = 8
	maxClaimName = 128
)

// composite returns the parts of a method with source Composite.
func (c *compiler) composite(in *v1alpha1.Composite, field string) []model.Part {
	if in == nil || len(in.Parts) == 0 || len(in.Parts) > maxParts {
		c.invalid(field, "must have 1 to %d entries", maxParts)
		return nil
	}
	out := make([]model.Part, len(in.Parts))
	for i := range in.Parts {
		at := fmt.Sprintf("%s[%d]", field, i)
		out[i] = c.part(&in.Parts[i], at)
		if first := slices.IndexFunc(out[:i], func(p model.Part) bool { return reflect.DeepEqual(p, out[i]) }); first >= 0 {
			c.invalid(at, "is the same as %s[%d]: it has no effect", field, first)
		}
	}
	return out
}

func (c *compiler) part(in *v1alpha1.Part, field string) model.Part {
	out := model.Part{Source: model.Source(in.Source), JWTClaim: in.JWTClaim}
	takesClaim := false
	switch in.Source {
	case v1alpha1.PartSourceHeader:
		out.Header, takesClaim = c.header(in.Header, field+".header.name"), true
	case v1alpha1.PartSourceCookie:
		out.Cookie, takesClaim = c.partCookie(in.Cookie, field+".cookie.name"), true
	case v1alpha1.PartSourceQueryParam:
		out.QueryParam = c.queryParam(in.QueryParam, field+".queryParam.name")
	case v1alpha1.PartSourceSourceIP:
		out.SourceIP = c.sourceIP(in.SourceIP, field+".sourceIP")
	case v1alpha1.PartSourceHost, v1alpha1.PartSourcePath, v1alpha1.PartSourceURI, v1alpha1.PartSourceMethod,
		v1alpha1.PartSourceClientCertificate:
	default:
		c.unsupported(field+".source", "source %s of a part", quote(string(in.Source)))
	}
	if in.JWTClaim != "" && (!takesClaim || len(in.JWTClaim) > maxClaimName) {
		c.invalid(field+".jwtClaim", "may only be set with source Header or Cookie, to at most %d bytes", maxClaimName)
	}
	return out
}

func (c *compiler) partCookie(in *v1alpha1.PartCookie, field string) *model.Cookie {
	if in == nil || !isToken(in.Name) {
		c.invalid(field, "must be set to a token of at most %d bytes", maxName)
		return nil
	}
	return &model.Cookie{Name: in.Name}
}

// partsText describes parts, such as "Host, Header X-Tenant, Header Authorization (claim sub)".
func partsText(parts []model.Part) string {
	texts := make([]string, len(parts))
	for i, p := range parts {
		text := string(p.Source)
		switch {
		case p.Header != nil:
			text += " " + p.Header.Name
		case p.Cookie != nil:
			text += " " + p.Cookie.Name
		case p.QueryParam != nil:
			text += " " + p.QueryParam.Name
		case p.SourceIP != nil:
			text += fmt.Sprintf(" /%d /%d", p.SourceIP.IPv4PrefixLength, p.SourceIP.IPv6PrefixLength)
		}
		if p.JWTClaim != "" {
			text += " (claim " + p.JWTClaim + ")"
		}
		texts[i] = text
	}
	return strings.Join(texts, ", ")
}

// maxMethodText is the limit of the schema of the status.
const maxMethodText = 512

// truncateText shortens a text that is longer than the schema of the status allows.
func truncateText(text string) string {
	const mark = " ..."
	if len(text) <= maxMethodText {
		return text
	}
	return text[:maxMethodText-len(mark)] + mark
}
