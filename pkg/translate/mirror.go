package translate

import (
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
)

// The names of the annotations about copies of requests, for Limpet and ingress-nginx.
const (
	nameMirrorTarget = "mirror-target"
	nameMirrorHost   = "mirror-host"
	nameMirrorBody   = "mirror-request-body"
)

// mirrorSettings are the settings of copies of requests.
type mirrorSettings struct {
	model.Mirror

	to destination
}

// readMirror returns the settings, or nil. Invalid annotations are reported: no copies are sent then.
func (r *annotationReader) readMirror() *mirrorSettings {
	target, host := r.setting(nameMirrorTarget, nameMirrorTarget), r.setting(nameMirrorHost, nameMirrorHost)
	withoutBody := r.readWithoutBody()
	if target.text == "" {
		for _, part := range []value{host, r.setting(nameMirrorBody, nameMirrorBody)} {
			if part.isSet {
				r.invalid(part.key, "annotation %s has no effect without %s", part.key, nameMirrorTarget)
			}
		}
		return nil
	}
	s := &mirrorSettings{}
	problem := ""
	if s.to, problem = parseDestination(target); problem == "" && s.to.isRequested {
		problem = "has the host of the request, so copies would return to Limpet"
	}
	if problem != "" {
		r.invalid(target.key, "%s", unusedMirror(target.key, "its URL "+problem))
		return nil
	}
	if problem := textProblem(host.text); problem != "" || strings.ContainsAny(host.text, " /@\\") {
		r.invalid(host.key, "%s", unusedMirror(host.key, "it must be a host, which may have variables"))
		return nil
	}
	s.Mirror = model.Mirror{URL: target.text, Host: host.text, WithoutBody: withoutBody}
	return s
}

func (r *annotationReader) readWithoutBody() bool {
	v := r.setting(nameMirrorBody, nameMirrorBody)
	switch v.text {
	case "off":
		return true
	case "", "on":
	default:
		r.invalidValue(v.key, "it must be on or off")
	}
	return false
}

// mirror returns the settings of an object with their Service, or nil. Copies go to Services of the same namespace, and to
// names that the operator allows, as backends do: an author could otherwise send any request to any pod of the cluster.
func (b *builder) mirror(d *description) *model.Mirror {
	if d.mirror == nil {
		return nil
	}
	to := d.mirror.to
	if to.mayBeName && to.namespace != d.namespace() { // a Service of another namespace is no destination, but a name may be
		to.service = ""
	}
	problem := ""
	switch {
	case to.service != "" && to.namespace != d.namespace():
		problem = "its Service must be in namespace " + d.namespace()
	case to.service == "" && !b.allowsName(to.name):
		problem = "--external-names does not allow " + quote(to.name)
	}
	if problem != "" {
		b.reports.add(d.ref, ReasonInvalidAnnotation, annotationField(to.key), "%s", unusedMirror(to.key, problem))
		return nil
	}
	out := d.mirror.Mirror
	found := b.resolveDestination(d, &to, "No copies are sent")
	if found.problem != "" {
		return nil
	}
	out.Service = found.pool
	return &out
}
