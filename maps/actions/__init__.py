"""Who does what, where and when: pages of actions, overlaps and gaps, forms for who acts, and files for data exchanges."""
