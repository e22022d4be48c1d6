"""清单 as data: documents, items, dated versions, rates, parameters, conditions, exclusions, visit tiers."""
