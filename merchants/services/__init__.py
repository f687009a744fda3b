"""Everything that changes people, accounts, keys and commission rules.

Other apps call `from merchants import services as merchants`; the files below are named by content.
"""

from merchants.services.api_keys import (
    ApiKeyInvalid,
    ApiKeyRefused,
    create_api_key,
    find_api_key,
    revoke_api_key,
)
from merchants.services.bank_accounts import (
    BankAccountInvalid,
    add_bank_account,
    read_account_number,
)
from merchants.services.commission import (
    CommissionPlanTaken,
    CommissionRuleInvalid,
    CommissionRuleOverlap,
    add_rule,
    create_plan,
    end_rule,
    freeze_terms,
)
from merchants.services.platforms import (
    DeadlinePolicy,
    MerchantInvalid,
    MerchantReferenceTaken,
    PlatformInvalid,
    PlatformSlugTaken,
    create_merchant,
    create_platform,
)

__all__ = [
    "ApiKeyInvalid",
    "ApiKeyRefused",
    "BankAccountInvalid",
    "CommissionPlanTaken",
    "CommissionRuleInvalid",
    "CommissionRuleOverlap",
    "DeadlinePolicy",
    "MerchantInvalid",
    "MerchantReferenceTaken",
    "PlatformInvalid",
    "PlatformSlugTaken",
    "add_bank_account",
    "add_rule",
    "create_api_key",
    "create_merchant",
    "create_plan",
    "create_platform",
    "end_rule",
    "find_api_key",
    "freeze_terms",
    "read_account_number",
    "revoke_api_key",
]
