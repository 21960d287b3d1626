with evidence as (

    select * from {{ ref('stg_model_evidence') }}

),

choices as (

    select * from {{ ref('stg_model_choices') }}

),

final as (

    select
        evidence.*,
        choices.role,
        coalesce(choices.model_name = evidence.model_name, false) as serves
    from evidence
    left join choices using (source, session_date)

)

select * from final
order by training_run_id, model_name, against, horizon_sessions
