package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/limpet-dev/limpet/api/v1alpha1"
)

// defaultFieldCheckEvery is the time between two checks of the installed CustomResourceDefinition.
const defaultFieldCheckEvery = 10 * time.Minute

// fieldCheck compares the installed CustomResourceDefinition of AffinityPolicy with the one of this version. Helm does not update
// the definitions of a chart, and the API server drops fields that the installed one does not have, without an error.
type fieldCheck struct {
	// installed returns the OpenAPI document of the group, which every authenticated user may read.
	installed func() ([]byte, error)
	// definition is the CustomResourceDefinition of this version in YAML.
	definition []byte
	// report receives the fields that are missing, after each check.
	report func(missing []string)
	every  time.Duration
	log    logr.Logger
}

func newFieldCheck(config *rest.Config, o *Options) (*fieldCheck, error) {
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	path := "apis/" + v1alpha1.GroupVersion.String()
	return &fieldCheck{
		installed: func() ([]byte, error) {
			paths, err := client.OpenAPIV3().Paths()
			if err != nil {
				return nil, err
			}
			if paths[path] == nil {
				return nil, fmt.Errorf("%s is not installed", path)
			}
			return paths[path].Schema("application/json")
		},
		definition: o.definition, report: o.MissingFields, every: o.fieldCheckEvery, log: o.Log.WithName("crd"),
	}, nil
}

// Start checks until ctx is done. It implements manager.Runnable.
func (c *fieldCheck) Start(ctx context.Context) error {
	ticker := time.NewTicker(c.every)
	defer ticker.Stop()
	last := ""
	for {
		missing, err := c.check()
		switch now := strings.Join(missing, ", "); {
		case err != nil:
			c.log.V(1).Info("The installed CustomResourceDefinition cannot be compared now", "error", err.Error())
		case now != last && now != "":
			c.log.Error(nil, "The installed CustomResourceDefinition is older than Limpet: the API server drops fields", "fields", now)
			last = now
		default:
			last = now
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: each replica checks, so that each exports the metric.
func (c *fieldCheck) NeedLeaderElection() bool { return false }

func (c *fieldCheck) check() ([]string, error) {
	text, err := c.installed()
	if err != nil {
		return nil, err
	}
	missing, err := missingFields(c.definition, text)
	if err != nil {
		return nil, err
	}
	c.report(missing)
	return missing, nil
}

// fieldSchema is the part of an OpenAPI schema with the names of fields.
type fieldSchema struct {
	Properties map[string]fieldSchema `json:"properties"`
	Items      *fieldSchema           `json:"items"`
	Values     json.RawMessage        `json:"additionalProperties"`
	Keeps      bool                   `json:"x-kubernetes-preserve-unknown-fields"`
}

// missingFields returns the paths of the fields that a CustomResourceDefinition in YAML has, and an OpenAPI document does not,
// sorted. Fields of a missing field are not listed.
func missingFields(definition, document []byte) ([]string, error) {
	var want struct {
		Spec struct {
			Names    struct{ Kind string }
			Versions []struct {
				Name   string
				Schema struct{ OpenAPIV3Schema fieldSchema }
			}
		}
	}
	if err := yaml.Unmarshal(definition, &want); err != nil {
		return nil, fmt.Errorf("reading the own CustomResourceDefinition: %w", err)
	}
	var got struct {
		Components struct{ Schemas map[string]fieldSchema }
	}
	if err := json.Unmarshal(document, &got); err != nil {
		return nil, fmt.Errorf("reading the OpenAPI document: %w", err)
	}
	if len(want.Spec.Versions) != 1 {
		return nil, fmt.Errorf("the own CustomResourceDefinition has %d versions, want 1", len(want.Spec.Versions))
	}
	version := &want.Spec.Versions[0]
	name := "dev.limpet." + version.Name + "." + want.Spec.Names.Kind
	schema, found := got.Components.Schemas[name]
	if !found {
		return nil, fmt.Errorf("the OpenAPI document has no schema %s", name)
	}
	var missing []string
	for _, part := range []string{"spec", "status"} {
		own := version.Schema.OpenAPIV3Schema.Properties[part]
		installed := schema.Properties[part]
		missing = append(missing, own.without(&installed, part)...)
	}
	return missing, nil
}

// without returns the paths of the fields of f that other does not have.
func (f *fieldSchema) without(other *fieldSchema, path string) (missing []string) {
	if other == nil {
		return []string{path}
	}
	if other.Keeps {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(f.Properties)) {
		own, at := f.Properties[name], path+"."+name
		installed, found := other.Properties[name]
		if !found {
			missing = append(missing, at)
			continue
		}
		missing = append(missing, own.without(&installed, at)...)
	}
	if f.Items != nil {
		missing = append(missing, f.Items.without(other.Items, path+"[]")...)
	}
	if own := valuesOf(f); own != nil {
		missing = append(missing, own.without(valuesOf(other), path+"[*]")...)
	}
	return missing
}

// valuesOf returns the schema of the values of a map, or nil. additionalProperties may also be true or false.
func valuesOf(f *fieldSchema) *fieldSchema {
	var values fieldSchema
	if len(f.Values) == 0 || f.Values[0] != '{' || json.Unmarshal(f.Values, &values) != nil {
		return nil
	}
	return &values
}
