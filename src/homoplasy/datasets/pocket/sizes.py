"""How large the pocket world is, beside the NSD number that each size stands for."""

from types import MappingProxyType

DESIGNED_SUBJECTS = 8  # 8: subjects that the design lists
SESSIONS = 10  # 40
RUNS = 12  # 12 in a session
SLOTS = 8  # 75 in a run, some of them blank
STIMULI_PER_RUN = 6  # 62 or 63
TRIALS = RUNS * STIMULI_PER_RUN  # 750 in a session
REPEATS = 3  # 3
SHARED = 40  # 1,000 pictures that all subjects see
OWN = 200  # 9,000 pictures of one subject
IMAGES = SHARED + OWN  # 10,000 pictures of one subject
PICTURES = SHARED + DESIGNED_SUBJECTS * OWN  # 73,000
PIXELS = 48  # 425
TRAINING_PICTURES = 4000  # those of the small network that is trained here

SCALE = 300  # betas are stored as percent signal change times 300, in int16

# X, Y, Z of the subjects that have betas: never cubic, all different, so that swapped axes cannot pass unseen
VOLUMES = MappingProxyType({1: (16, 20, 17), 2: (16, 20, 18), 5: (15, 19, 16), 7: (15, 18, 17)})

BETA_VERSIONS = ("betas_assumehrf", "betas_fithrf", "betas_fithrf_GLMdenoise_RR")
BETA_FORMATS = ("hdf5", "nifti")
