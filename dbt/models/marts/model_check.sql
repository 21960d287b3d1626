with checks as (

    select * from {{ ref('stg_model_checks') }}

),

choices as (

    select * from {{ ref('stg_model_choices') }}

),

final as (

    select
        checks.*,
        choices.decision,
        choices.role,
        choices.model_name as served_model_name,
        choices.model_version as served_model_version,
        choices.reason as decision_reason
    from checks
    left join choices using (source, session_date)

)

select * from final
order by source, session_date
