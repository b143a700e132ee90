package manifest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	k8sjson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	strictjson "sigs.k8s.io/json"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/config/crd"
	"github.com/limpet-dev/limpet/pkg/manifest/schema"
)

// affinityPolicies is the schema of AffinityPolicy, compiled on first use.
var affinityPolicies = sync.OnceValues(func() (*schema.Schema, error) { return schema.New(crd.AffinityPolicy) })

// decodeStrict decodes d into a typed object. It returns unknown fields, which are ignored, and errors that make the
// object invalid. Unlike kubectl, fields that differ from the known name in case are unknown.
func decodeStrict(d *document, into any) (unknown, invalid []error) {
	strict, err := strictjson.UnmarshalStrict(d.json, into)
	if err != nil {
		return nil, []error{d.errorAt(fieldOfTypeError(err), "%s", typeErrorText(err))}
	}
	for _, err := range strict {
		unknown = append(unknown, d.errorAt(fieldOfStrictError(err), "%s", err))
	}
	return unknown, nil
}

// fieldOfStrictError returns the path of the field that a strict decoding error is about, or "".
func fieldOfStrictError(err error) string {
	var at strictjson.FieldError
	if errors.As(err, &at) {
		return at.FieldPath()
	}
	return ""
}

// fieldOfTypeError returns the path of the field with a wrong type, or "".
func fieldOfTypeError(err error) string {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return wrong.Field
	}
	return ""
}

func typeErrorText(err error) string {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Sprintf("%s must be of type %s, not %s", wrong.Field, wrong.Type, wrong.Value)
	}
	return err.Error()
}

// errorAt returns an error with the file of d and the line of a field.
func (d *document) errorAt(field, format string, args ...any) *Error {
	return &Error{d.file, d.lineOf(field), fmt.Sprintf(format, args...)}
}

// admit returns the document as the API server would store it: validated and with defaults.
func admit(d *document) (*document, []error) {
	s, err := affinityPolicies()
	if err != nil {
		return nil, []error{err}
	}
	object := map[string]any{}
	if err := k8sjson.Unmarshal(d.json, &object); err != nil {
		return nil, []error{d.errorAt("", "%s", err)}
	}
	var errs []error
	for _, refused := range s.Admit(context.Background(), object) {
		explainDuration(refused)
		errs = append(errs, d.errorAt(refused.Field, "%s", refused))
	}
	if len(errs) > 0 {
		return nil, errs
	}
	out := *d
	if out.json, err = json.Marshal(object); err != nil {
		return nil, []error{d.errorAt("", "%s", err)}
	}
	return &out, nil
}

// explainDuration replaces the pattern in the error about a duration by the reason.
func explainDuration(err *field.Error) {
	text, isText := err.BadValue.(string)
	if !isText || !strings.HasSuffix(err.Detail, "'"+v1alpha1.DurationPattern+"'") {
		return
	}
	if problem := v1alpha1.Duration(text).Problem(); problem != "" {
		err.Detail = "it is not a duration: " + problem
	}
}

// checkMeta validates the name and namespace of an object. It sets the namespace to "default" if it is missing.
func checkMeta(d *document, o metav1.Object, k kind) []error {
	var errs []error
	if problems := validation.NameIsDNSSubdomain(o.GetName(), false); o.GetName() == "" {
		errs = append(errs, d.errorAt("metadata", "metadata.name must be set"))
	} else if len(problems) > 0 {
		errs = append(errs, d.errorAt("metadata.name", "metadata.name %q: %s", o.GetName(), problems[0]))
	}
	if k.clusterScoped {
		o.SetNamespace("")
		return errs
	}
	if o.GetNamespace() == "" {
		o.SetNamespace(metav1.NamespaceDefault)
	}
	if problems := validation.ValidateNamespaceName(o.GetNamespace(), false); len(problems) > 0 {
		errs = append(errs, d.errorAt("metadata.namespace", "metadata.namespace %q: %s", o.GetNamespace(), problems[0]))
	}
	return errs
}
