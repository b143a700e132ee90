package translate

import (
	"cmp"
	"net/netip"
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
)

// The annotations by which an Ingress restricts who may access its routes.
const (
	// AnnotationAllowSourceRange lists the addresses and networks of clients that are admitted, separated by commas.
	AnnotationAllowSourceRange = annotationPrefix + nameAllowSourceRange
	// AnnotationDenySourceRange lists the addresses and networks of clients that are refused. It takes precedence.
	AnnotationDenySourceRange = annotationPrefix + nameDenySourceRange
	// AnnotationSatisfy is all or any: how many of the checks of addresses and credentials a request must pass.
	AnnotationSatisfy = annotationPrefix + nameSatisfy
	// AnnotationAuthType is basic or digest.
	AnnotationAuthType = annotationPrefix + nameAuthType
	// AnnotationAuthSecret names a Secret in the namespace of the Ingress with the users and their passwords.
	AnnotationAuthSecret = annotationPrefix + nameAuthSecret
	// AnnotationAuthSecretType is auth-file or auth-map: the form of that Secret.
	AnnotationAuthSecretType = annotationPrefix + nameAuthSecretType
	// AnnotationAuthRealm is the realm that clients show to their users.
	AnnotationAuthRealm = annotationPrefix + nameAuthRealm
)

const (
	nameAllowSourceRange = "allow-source-range"
	nameDenySourceRange  = "deny-source-range"
	nameSatisfy          = "satisfy"
	nameAuthType         = "auth-type"
	nameAuthSecret       = "auth-secret"
	nameAuthSecretType   = "auth-secret-type"
	nameAuthRealm        = "auth-realm"
)

var accessAnnotations = []string{
	AnnotationAllowSourceRange, AnnotationDenySourceRange, AnnotationSatisfy,
	AnnotationAuthType, AnnotationAuthSecret, AnnotationAuthSecretType, AnnotationAuthRealm,
}

// accessSettings restrict who may access the routes of an object.
type accessSettings struct {
	addresses    *model.AddressList // nil: all addresses
	passwords    *passwordSettings  // nil: no credentials
	satisfiesAny bool
}

// readAccess reads the annotations about access. An invalid list closes the object.
func (r *annotationReader) readAccess() accessSettings {
	return accessSettings{addresses: r.readAddresses(), passwords: r.readPasswords(), satisfiesAny: r.readSatisfy()}
}

// readAddresses returns the lists of addresses, or nil.
func (r *annotationReader) readAddresses() *model.AddressList {
	allow, deny := r.allowSetting(), r.setting(nameDenySourceRange, "denylist-source-range")
	list := model.AddressList{Allow: r.readSourceRanges(allow), Deny: r.readSourceRanges(deny)}
	r.addGlobalLists(&list, allow.isSet, deny.isSet)
	if list.Allow == nil && list.Deny == nil {
		return nil
	}
	return &list
}

// allowSetting returns the list of admitted networks. ingress-nginx has two names for it: the older one is used if the newer
// one is missing.
func (r *annotationReader) allowSetting() value {
	v := r.setting(nameAllowSourceRange, "allowlist-source-range")
	older := r.annotation(nginxPrefix, "whitelist-source-range")
	older.isNginx = true
	if !v.isSet {
		return older
	}
	if older.isSet && older.text != v.text {
		r.invalid(older.key, "annotation %s is ignored, because %s takes precedence", older.key, v.key)
	}
	return v
}

// readSourceRanges returns the networks of a list. A list with an invalid entry closes the object, because its other entries
// do not say what the author meant.
func (r *annotationReader) readSourceRanges(v value) []netip.Prefix {
	if !v.isSet {
		return nil
	}
	networks, problem := parseSourceRanges(v.text)
	if problem != "" {
		r.failProtection(v, false, problem)
	}
	return networks
}

// readSatisfy reports whether any of the checks suffices. An unknown value has the effect of all, as in ingress-nginx: this
// is the stricter one.
func (r *annotationReader) readSatisfy() bool {
	v := r.setting(nameSatisfy, nameSatisfy)
	if v.text != "" && v.text != "any" && !strings.EqualFold(v.text, "all") {
		r.invalid(v.key, "annotation %s has the value %s; it must be all or any. A request must pass all checks",
			v.key, quote(v.text))
	}
	return v.text == "any"
}

// addAccess sets the restrictions of an object. It closes the object if the Secret with its users cannot be used.
func (b *builder) addAccess(t *translation) {
	want := &t.description.access
	access := model.Access{Addresses: want.addresses, SatisfiesAny: want.satisfiesAny}
	if want.passwords != nil {
		var problem string
		if access.Passwords, problem = b.passwords(t.description, want.passwords); problem != "" {
			t.closed = cmp.Or(t.closed, problem)
		}
	}
	if access != (model.Access{}) {
		t.access = &access
	}
}

// withAccess returns filters with restrictions, which may be nil.
func withAccess(filters *model.Filters, access *model.Access) *model.Filters {
	if access == nil {
		return filters
	}
	var out model.Filters
	if filters != nil {
		out = *filters
	}
	out.Access = access
	return &out
}
